import { commands } from './subjects/commands.ts';
import { comparing } from './subjects/comparing.ts';
import { repositories } from './subjects/corpus.ts';
import { deleting } from './subjects/deleting.ts';
import { hooks } from './subjects/hooks.ts';
import { objects } from './subjects/objects.ts';
import { sources } from './subjects/sources.ts';
import { syncing } from './subjects/syncing.ts';
import type { Subject } from './suite.ts';

/** Every subject of the suite. */
export const subjects: readonly Subject[] = [
  syncing,
  hooks,
  comparing,
  repositories,
  deleting,
  sources,
  objects,
  commands,
];
