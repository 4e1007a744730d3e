import { useQuery } from '@tanstack/react-query';
import type { ResourceNode } from '#apps/port.ts';
import type { ApplicationView } from '#server/contract.ts';
import { fetchTree } from '../../api/client.ts';
import { HealthBadge } from '../../parts/badge.tsx';
import { Problem } from '../../parts/problem.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { flattenTree } from './tree.ts';

/** What the application owns, down to its pods. */
export function TreeView({
  view,
  onTrace,
}: {
  view: ApplicationView;
  onTrace: (query: string, namespace?: string) => void;
}) {
  const { data, error, isPending } = useQuery({
    queryKey: ['tree', view.name, view.revision, view.sync, view.health.status, view.deployed?.id],
    queryFn: () => fetchTree(view.name),
    refetchInterval: 5000,
  });
  if (isPending) return <div className="skeleton tall" role="status" aria-label="Loading" />;
  if (error) return <Problem error={error} />;
  if (data.length === 0) return <p className="nothing pad">There is nothing in the cluster yet.</p>;
  return (
    <ul className="tree">
      {flattenTree(data).map(({ node, depth }) => (
        <Row key={node.uid} node={node} depth={depth} onTrace={onTrace} />
      ))}
    </ul>
  );
}

interface RowProps {
  node: ResourceNode;
  depth: number;
  onTrace: (query: string, namespace?: string) => void;
}

function Row({ node, depth, onTrace }: RowProps) {
  return (
    <li className={`depth-${Math.min(depth, 4)}`}>
      <span>
        <span className="tree-kind">{node.kind}</span>
        <span className="tree-name">{node.name}</span>
      </span>
      {node.createdAt && <TimeAgo at={Date.parse(node.createdAt)} />}
      {node.health && <HealthBadge status={node.health.status} message={node.health.message} />}
      {node.kind === 'Pod' && (
        <button type="button" className="link" onClick={() => onTrace(`pod/${node.name}`, node.namespace)}>
          Trace
        </button>
      )}
    </li>
  );
}
