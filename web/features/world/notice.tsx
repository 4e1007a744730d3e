import type { LiveState } from '../../live/state.ts';

/** Says so when what is shown is not, or not any more, the present. */
export function Notice({ state }: { state: LiveState }) {
  const { connection, liveAt, applications } = state;
  if (connection === 'unauthorized') {
    return (
      <div className="notice wait" role="alert">
        <b>This page may not read.</b> Open the link with the token that the server printed when it started; it is
        needed once per browser.
      </div>
    );
  }
  if (connection !== 'lost') return null;
  const since = liveAt === undefined ? undefined : new Date(liveAt).toLocaleTimeString();
  return (
    <div className="notice bad" role="alert">
      <b>The server does not answer.</b> {applications && since ? `What you see is as of ${since}. ` : ''}The page tries
      again by itself.
    </div>
  );
}
