import { useMemo, useState } from 'react';
import type { ApplicationView } from '#server/contract.ts';
import { buildMatrix } from '#server/view.ts';
import { HealthBadge, SyncBadge } from '../../parts/badge.tsx';
import { Icon } from '../../parts/icon.tsx';
import { shortSha } from '../../parts/time.ts';
import { TimeAgo } from '../../parts/time-ago.tsx';

export interface CellActions {
  onOpen: (name: string) => void;
  onSync: (name: string) => void;
  canWrite: boolean;
}

const shownAtFirst = 50;

/** Which version of each service runs in each environment, on its way to production from left to right. */
export function VersionMatrix({ applications, ...actions }: { applications: ApplicationView[] } & CellActions) {
  const matrix = useMemo(() => buildMatrix(applications), [applications]);
  const [shown, setShown] = useState(shownAtFirst);
  if (matrix.rows.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="matrix-title">
      <div className="panel-head">
        <h2 id="matrix-title">Versions</h2>
        <p>service by environment</p>
      </div>
      <div className="matrix-scroll">
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">Service</th>
              {matrix.environments.map((environment) => (
                <th scope="col" key={environment}>
                  {environment}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matrix.rows.slice(0, shown).map(({ service, cells }) => (
              <tr key={service}>
                <th scope="row">{service}</th>
                {matrix.environments.map((environment) => (
                  <td key={environment} data-environment={environment}>
                    {(cells[environment] ?? []).map((view) => (
                      <Cell key={view.name} view={view} {...actions} />
                    ))}
                    {!cells[environment] && <span className="nothing">not deployed</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {matrix.rows.length > shown && (
        <button type="button" className="more below" onClick={() => setShown(shown + shownAtFirst)}>
          Show {Math.min(shownAtFirst, matrix.rows.length - shown)} more
        </button>
      )}
    </section>
  );
}

function Cell({ view, onOpen, onSync, canWrite }: { view: ApplicationView } & CellActions) {
  const tone = view.hint?.kind ?? 'fine';
  const syncs = view.sync === 'OutOfSync' && !view.automated && view.hint?.kind !== 'working';
  return (
    <article className={`cell ${tone}`}>
      <div className="cell-top">
        <button
          type="button"
          className="version-name"
          title={view.image ?? view.name}
          onClick={() => onOpen(view.name)}
        >
          {view.version ?? 'no image'}
        </button>
        {view.pendingVersion && (
          <span className="pending" title={`Git wants ${view.pendingVersion}`}>
            <Icon name="chevron" size={12} />
            {view.pendingVersion}
          </span>
        )}
        {syncs && canWrite && (
          <button type="button" className="act" onClick={() => onSync(view.name)}>
            Sync
          </button>
        )}
      </div>
      <div className="badges">
        <SyncBadge status={view.sync} />
        <HealthBadge status={view.health.status} message={view.health.message} />
      </div>
      <p className="cell-note">
        {view.deployed ? (
          <>
            <TimeAgo at={Date.parse(view.deployed.at)} /> by {view.deployed.by}
            {view.deployed.revision && <code>{shortSha(view.deployed.revision)}</code>}
          </>
        ) : (
          'never synced'
        )}
      </p>
      {view.hint && (
        <p className={`cell-hint ${tone}`}>
          <Icon
            name={tone === 'drift' ? 'drift' : tone === 'failed' ? 'cross' : tone === 'working' ? 'spin' : 'arrowUp'}
            size={12}
          />
          {view.hint.text}
        </p>
      )}
    </article>
  );
}
