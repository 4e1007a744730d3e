import type { Builtins } from '../action.ts';
import { downloadArtifact, uploadArtifact } from './artifacts.ts';
import { cache } from './cache.ts';
import { checkout } from './checkout.ts';
import { type InstalledNode, setupNode } from './setup-node.ts';

/** The built-in actions that need nothing but git and Node. */
export function basicBuiltins(options: { gitPath: string; node: InstalledNode }): Builtins {
  return {
    'actions/checkout': checkout(options.gitPath),
    'actions/setup-node': setupNode(options.node),
    'actions/cache': cache,
    'actions/upload-artifact': uploadArtifact,
    'actions/download-artifact': downloadArtifact,
  };
}
