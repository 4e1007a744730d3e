import type { ApplicationView } from '#server/contract.ts';
import { shortSha } from '../../parts/time.ts';
import { TimeAgo } from '../../parts/time-ago.tsx';

export function HistoryView({ view }: { view: ApplicationView }) {
  if (view.history.length === 0) return <p className="nothing pad">It was never synced.</p>;
  return (
    <table className="plain-table">
      <thead>
        <tr>
          <th scope="col">ID</th>
          <th scope="col">Revision</th>
          <th scope="col">Deployed</th>
          <th scope="col">By</th>
        </tr>
      </thead>
      <tbody>
        {view.history.map(({ id, revision, at, by }) => (
          <tr key={id}>
            <td>{id}</td>
            <td>
              <code>{revision ? shortSha(revision) : '-'}</code>
            </td>
            <td>
              <TimeAgo at={Date.parse(at)} />
            </td>
            <td>{by}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
