import { bootstrap } from './legs/bootstrap.ts';
import { drift } from './legs/drift.ts';
import { pushToDev } from './legs/push-to-dev.ts';
import { releaseToProd } from './legs/release-to-prod.ts';
import { rollback } from './legs/rollback.ts';
import { trace } from './legs/trace.ts';
import type { Leg } from './story.ts';

/** The whole road, in the order it is travelled. */
export const legs: Leg[] = [bootstrap, pushToDev, releaseToProd, drift, rollback, trace];
