import { commands } from './subjects/commands.ts';
import { comparing } from './subjects/comparing.ts';
import { deleting } from './subjects/deleting.ts';
import { hooks } from './subjects/hooks.ts';
import { syncing } from './subjects/syncing.ts';
import type { Subject } from './suite.ts';

/** Every subject of the suite. */
export const subjects: readonly Subject[] = [syncing, hooks, comparing, deleting, commands];
