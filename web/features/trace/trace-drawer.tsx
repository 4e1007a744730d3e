import { useQuery } from '@tanstack/react-query';
import type { TraceLink, TraceStep } from '#trace/report.ts';
import { fetchTrace } from '../../api/client.ts';
import { Icon } from '../../parts/icon.tsx';
import type { IconName } from '../../parts/icon-paths.ts';
import { Modal } from '../../parts/modal.tsx';
import { Problem } from '../../parts/problem.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';

const looks: Record<TraceLink, { text: string; icon: IconName }> = {
  container: { text: 'Container', icon: 'play' },
  image: { text: 'Image', icon: 'box' },
  'workflow-run': { text: 'Workflow run', icon: 'sync' },
  commit: { text: 'Commit', icon: 'commit' },
  'pull-request': { text: 'Pull request', icon: 'merge' },
  tag: { text: 'Tag', icon: 'tag' },
  approval: { text: 'Approval', icon: 'seal' },
  'manifest-commit': { text: 'Manifest commit', icon: 'commit' },
  sync: { text: 'Sync', icon: 'check' },
};

/** From what runs, link by link, to who wrote it and who let it through. */
export function TraceDrawer({
  query,
  namespace,
  onClose,
}: {
  query: string;
  namespace?: string | undefined;
  onClose: () => void;
}) {
  const { data, error, isPending } = useQuery({
    queryKey: ['trace', query, namespace],
    queryFn: () => fetchTrace(query, namespace),
  });
  return (
    <Modal kind="drawer" title={`Trace of ${query}`} onClose={onClose}>
      {isPending && <div className="skeleton tall" role="status" aria-label="Tracing" />}
      {error && <Problem error={error} />}
      {data && (
        <ol className="chain">
          {data.steps.map((step, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the chain is read once and never reordered
            <Step key={index} step={step} />
          ))}
        </ol>
      )}
    </Modal>
  );
}

/** A digest says enough by its beginning. */
function shortTitle(title: string): string {
  return title.replace(/^(sha256:[0-9a-f]{16})[0-9a-f]{48}$/, '$1…');
}

function Step({ step }: { step: TraceStep }) {
  const { text, icon } = looks[step.link];
  return (
    <li className={step.found ? 'step' : 'step missing'}>
      <span className="step-icon">
        <Icon name={icon} size={14} />
      </span>
      <div>
        <p className="step-head">
          <span>{text}</span>
          {step.found && step.at !== undefined && <TimeAgo at={step.at} />}
        </p>
        {step.found ? (
          <>
            <p className="step-title">
              {step.url && /^https?:/.test(step.url) ? (
                <a href={step.url} target="_blank" rel="noreferrer">
                  {shortTitle(step.title)}
                </a>
              ) : (
                <span className="step-name" title={step.title}>
                  {shortTitle(step.title)}
                </span>
              )}
              {step.by && <span> by {step.by}</span>}
            </p>
            <dl className="step-facts">
              {Object.entries(step.facts).map(([key, value]) => (
                <div key={key}>
                  <dt>{key}</dt>
                  <dd title={value}>{value}</dd>
                </div>
              ))}
            </dl>
          </>
        ) : (
          <p className="step-title">Not known: {step.reason}</p>
        )}
      </div>
    </li>
  );
}
