import type { SchemaNode } from '../schema-node.ts';
import type { FieldSet } from './field-set.ts';
import { intersect, isEmptySet, subtract, unite, withNamedParents } from './field-set.ts';
import { removeFields } from './remove.ts';
import { fieldsOf } from './typed.ts';

/**
 * Takes away what the applier owned last time, does not apply now, and nobody else owns. `owned` is the union of all
 * managers, the applier's new set included.
 */
export function pruneUnapplied(
  node: SchemaNode,
  merged: unknown,
  { last, owned }: { last: FieldSet; owned: FieldSet },
): unknown {
  if (isEmptySet(last)) return merged;
  const lastMembers = withNamedParents(last, node);
  const mergedSet = withNamedParents(fieldsOf(node, merged), node);
  const bare = removeFields(node, merged, lastMembers);
  const kept = unite(withNamedParents(fieldsOf(node, bare), node), withNamedParents(owned, node));
  const withOwned = removeFields(node, merged, subtract(mergedSet, kept));
  const gone = subtract(mergedSet, withNamedParents(fieldsOf(node, withOwned), node));
  return removeFields(node, merged, intersect(gone, lastMembers));
}
