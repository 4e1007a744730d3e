import { useQuery } from '@tanstack/react-query';
import type { ApplicationView } from '#server/contract.ts';
import { fetchResources } from '../../api/client.ts';
import { Problem } from '../../parts/problem.tsx';
import { changeText, diffResources, type ResourceDiff } from './diff.ts';

/** Live against desired, per resource. Asked for anew whenever the application changes. */
export function DiffView({ view }: { view: ApplicationView }) {
  const { data, error, isPending } = useQuery({
    queryKey: ['resources', view.name, view.revision, view.sync, view.resources.outOfSync],
    queryFn: () => fetchResources(view.name),
  });
  if (isPending) return <div className="skeleton tall" role="status" aria-label="Comparing" />;
  if (error) return <Problem error={error} />;
  const diffs = diffResources(data);
  if (diffs.length === 0) return <p className="nothing pad">Nothing differs: the cluster is as Git wants it.</p>;
  return (
    <div className="diffs">
      {diffs.map((diff) => (
        <ResourceDiffView key={diff.key} diff={diff} />
      ))}
    </div>
  );
}

function ResourceDiffView({ diff }: { diff: ResourceDiff }) {
  return (
    <figure className="diff">
      <figcaption>
        <b>{diff.kind}</b> {diff.name} <span>{changeText[diff.change]}</span>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <pre tabIndex={0}>
        {diff.hunks.map((hunk) => (
          <code key={`${hunk.oldStart}-${hunk.newStart}`} className="hunk">
            <span className="range">
              @@ -{hunk.oldStart},{hunk.oldLines} +{hunk.newStart},{hunk.newLines} @@
            </span>
            {numbered(hunk.lines).map(({ id, line }) => (
              <span key={id} className={line[0] === '+' ? 'added' : line[0] === '-' ? 'removed' : 'same'}>
                {line}
              </span>
            ))}
          </code>
        ))}
      </pre>
    </figure>
  );
}

function numbered(lines: string[]): { id: number; line: string }[] {
  return lines.map((line, id) => ({ id, line }));
}
