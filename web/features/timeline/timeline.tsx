import { useState } from 'react';
import type { AuditEvent } from '#trace/event.ts';
import { versionOf } from '#trace/image-name.ts';
import { Icon } from '../../parts/icon.tsx';
import { duration, shortSha } from '../../parts/time.ts';
import { TimeAgo } from '../../parts/time-ago.tsx';
import { useNow } from '../../parts/use-now.ts';
import { type Filter, filterEvents, groupByDay, lookOf } from './describe.ts';

const filters: { id: Filter; text: string }[] = [
  { id: 'overview', text: 'Overview' },
  { id: 'git', text: 'Git' },
  { id: 'trouble', text: 'Trouble' },
  { id: 'all', text: 'All' },
];

const shownAtFirst = 60;

export function Timeline({ events, onOpen }: { events: readonly AuditEvent[]; onOpen: (name: string) => void }) {
  const [filter, setFilter] = useState<Filter>('overview');
  const [shown, setShown] = useState(shownAtFirst);
  const now = useNow();
  const wanted = filterEvents(events, filter);
  const groups = groupByDay(wanted.slice(0, shown), now);
  return (
    <section className="panel timeline" aria-labelledby="timeline-title">
      <div className="panel-head">
        <h2 id="timeline-title">Timeline</h2>
        <fieldset className="segments">
          <legend className="unseen">Show</legend>
          {filters.map(({ id, text }) => (
            <button key={id} type="button" aria-pressed={filter === id} onClick={() => setFilter(id)}>
              {text}
            </button>
          ))}
        </fieldset>
      </div>
      {groups.length === 0 && <p className="nothing pad">Nothing of this kind has happened yet.</p>}
      {groups.map(({ label, events: ofDay }) => (
        <div key={label}>
          <h3 className="day">{label}</h3>
          <ol className="events">
            {ofDay.map((event) => (
              <Entry key={event.id} event={event} onOpen={onOpen} />
            ))}
          </ol>
        </div>
      ))}
      {wanted.length > shown && (
        <button type="button" className="more" onClick={() => setShown(shown + shownAtFirst)}>
          Show earlier
        </button>
      )}
    </section>
  );
}

function Entry({ event, onOpen }: { event: AuditEvent; onOpen: (name: string) => void }) {
  const { icon, tone, title } = lookOf(event);
  const { application, durationMs, commit } = event;
  const versions = [...new Set((event.images ?? []).flatMap((image) => versionOf(image) ?? []))].slice(0, 3);
  return (
    <li className="event">
      <span className={`event-icon ${tone}`}>
        <Icon name={icon} size={13} />
      </span>
      <div className="event-body">
        <p className="event-title">
          <b>{title}</b>
          {application && (
            <button type="button" className="link" onClick={() => onOpen(application)}>
              {application}
            </button>
          )}
          <TimeAgo at={event.at} />
        </p>
        <p className="event-message">{event.message}</p>
        <p className="event-facts">
          <span>{event.actor.name}</span>
          {durationMs !== undefined && <span>{duration(durationMs)}</span>}
          {versions.length > 0 && <code>{versions.join(', ')}</code>}
          {commit && <code>{shortSha(commit)}</code>}
        </p>
      </div>
    </li>
  );
}
