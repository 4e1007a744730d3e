import { access } from './areas/access.ts';
import { apply } from './areas/apply.ts';
import { clientNode } from './areas/client-node.ts';
import { customResources } from './areas/custom.ts';
import { decoding } from './areas/decoding.ts';
import { defaults } from './areas/defaults.ts';
import { deletion } from './areas/deletion.ts';
import { discovery } from './areas/discovery.ts';
import { errors } from './areas/errors.ts';
import { listing } from './areas/listing.ts';
import { patching } from './areas/patching.ts';
import { subresources } from './areas/subresources.ts';
import { tables } from './areas/tables.ts';
import { validation } from './areas/validation.ts';
import { values } from './areas/values.ts';
import { watching } from './areas/watching.ts';
import { workloads } from './areas/workloads.ts';
import type { Area } from './suite/case.ts';

/** Every area, in the order of the document. They run in any order. */
export const areas: readonly Area[] = [
  discovery,
  errors,
  decoding,
  values,
  validation,
  defaults,
  listing,
  watching,
  patching,
  apply,
  tables,
  deletion,
  subresources,
  customResources,
  access,
  workloads,
  clientNode,
];
