import { useEffect, useRef, useState } from 'react';
import type { ApplicationView } from '#server/contract.ts';
import { HealthBadge, SyncBadge } from '../../parts/badge.tsx';
import { Icon } from '../../parts/icon.tsx';
import { shortSha } from '../../parts/time.ts';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { DiffView } from './diff-view.tsx';
import { HistoryView } from './history-view.tsx';
import { searchApplications } from './search.ts';
import { TreeView } from './tree-view.tsx';

interface Actions {
  open: string | undefined;
  onOpen: (name: string | undefined) => void;
  onSync: (name: string) => void;
  onTrace: (query: string, namespace?: string) => void;
  canWrite: boolean;
}

const shownAtFirst = 100;
const searchFrom = 8;

export function Applications({ applications, ...actions }: { applications: ApplicationView[] } & Actions) {
  const [search, setSearch] = useState('');
  const [shown, setShown] = useState(shownAtFirst);
  const found = searchApplications(applications, search);
  // What was opened from elsewhere on the page is there, whatever is searched for.
  const opened = applications.find(({ name }) => name === actions.open);
  const rows = found.slice(0, shown);
  if (opened && !rows.includes(opened)) rows.unshift(opened);
  return (
    <section className="panel" aria-labelledby="applications-title">
      <div className="panel-head">
        <h2 id="applications-title">Applications</h2>
        <p>{search === '' ? applications.length : `${found.length} of ${applications.length}`}</p>
        {applications.length >= searchFrom && (
          <input
            type="search"
            className="search"
            placeholder="Filter"
            aria-label="Filter applications by name, service, environment or state"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        )}
      </div>
      {rows.length === 0 && <p className="nothing pad">No application is called so.</p>}
      <ul className="applications">
        {rows.map((view) => (
          <Row key={view.name} view={view} {...actions} />
        ))}
      </ul>
      {found.length > shown && (
        <button type="button" className="more below" onClick={() => setShown(shown + shownAtFirst)}>
          Show {Math.min(shownAtFirst, found.length - shown)} more
        </button>
      )}
    </section>
  );
}

function Row({ view, ...actions }: { view: ApplicationView } & Actions) {
  const isOpen = actions.open === view.name;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isOpen) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isOpen]);
  return (
    <li ref={row} className={isOpen ? 'application open' : 'application'} data-application={view.name}>
      <button
        type="button"
        className="application-row"
        aria-expanded={isOpen}
        onClick={() => actions.onOpen(isOpen ? undefined : view.name)}
      >
        <span className="turn">
          <Icon name="chevron" size={13} />
        </span>
        <span className="application-name">{view.name}</span>
        <span className="application-source">
          {view.source?.path ?? ''} <span>{view.source?.targetRevision || 'HEAD'}</span>
        </span>
        <code>{view.revision ? shortSha(view.revision) : ''}</code>
        <span className="application-policy">{view.automated ? 'automated' : 'manual'}</span>
        <SyncBadge status={view.sync} />
        <HealthBadge status={view.health.status} message={view.health.message} />
      </button>
      {isOpen && <Details view={view} {...actions} />}
    </li>
  );
}

type Tab = 'diff' | 'resources' | 'history';
const tabs: { id: Tab; text: string }[] = [
  { id: 'diff', text: 'Diff' },
  { id: 'resources', text: 'Resources' },
  { id: 'history', text: 'History' },
];

function Details({ view, onSync, onTrace, canWrite }: { view: ApplicationView } & Actions) {
  const [tab, setTab] = useState<Tab>(view.sync === 'OutOfSync' ? 'diff' : 'resources');
  const { operation, conditions } = view;
  return (
    <div className="details">
      {conditions.map(({ type, message }) => (
        <div key={`${type} ${message}`} className="problem" role="alert">
          <p>{message}</p>
          <p className="hint">{type}</p>
        </div>
      ))}
      <dl className="facts">
        <Fact name="Repository" value={view.source?.repository ?? '-'} />
        <Fact name="Namespace" value={view.namespace ?? '-'} />
        <Fact name="Image" value={view.image ?? '-'} />
        {operation && (
          <div>
            <dt>Last operation</dt>
            <dd>
              {operation.phase} by {operation.by},{' '}
              <TimeAgo at={Date.parse(operation.finishedAt ?? operation.startedAt)} />
              {operation.phase !== 'Succeeded' && operation.message ? `: ${operation.message}` : ''}
            </dd>
          </div>
        )}
      </dl>
      <div className="details-bar">
        <div className="segments" role="tablist" aria-label={`About ${view.name}`}>
          {tabs.map(({ id, text }) => (
            <button key={id} type="button" role="tab" aria-selected={tab === id} onClick={() => setTab(id)}>
              {text}
              {id === 'diff' && view.resources.outOfSync > 0 && <sup>{view.resources.outOfSync}</sup>}
            </button>
          ))}
        </div>
        <div className="details-actions">
          {view.image && (
            <button type="button" className="secondary" onClick={() => onTrace(view.name)}>
              Trace
            </button>
          )}
          {canWrite && (
            <button type="button" className="secondary" onClick={() => onSync(view.name)}>
              Sync
            </button>
          )}
        </div>
      </div>
      <div role="tabpanel" className="tab">
        {tab === 'diff' && <DiffView view={view} />}
        {tab === 'resources' && <TreeView view={view} onTrace={onTrace} />}
        {tab === 'history' && <HistoryView view={view} />}
      </div>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={value}>{value}</dd>
    </div>
  );
}
