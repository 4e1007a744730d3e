import type { ResourceNode } from '#apps/port.ts';

/** Parents before their children, children by kind and name; a node whose parent is not there stands at the top. */
export function flattenTree(nodes: ResourceNode[]): { node: ResourceNode; depth: number }[] {
  const uids = new Set(nodes.map(({ uid }) => uid));
  const children = new Map<string | undefined, ResourceNode[]>();
  for (const node of nodes) {
    const parent = node.parentUid !== undefined && uids.has(node.parentUid) ? node.parentUid : undefined;
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const flat: { node: ResourceNode; depth: number }[] = [];
  const visit = (parent: string | undefined, depth: number) => {
    const sorted = (children.get(parent) ?? []).toSorted((a, b) =>
      `${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1,
    );
    for (const node of sorted) {
      flat.push({ node, depth });
      visit(node.uid, depth + 1);
    }
  };
  visit(undefined, 0);
  return flat;
}
