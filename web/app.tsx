import { useMemo, useState } from 'react';
import { Applications } from './features/applications/applications.tsx';
import { SyncDialog } from './features/applications/sync-dialog.tsx';
import { VersionMatrix } from './features/matrix/matrix.tsx';
import { Timeline } from './features/timeline/timeline.tsx';
import { TraceDrawer } from './features/trace/trace-drawer.tsx';
import { Empty, Loading } from './features/world/empty.tsx';
import { Header } from './features/world/header.tsx';
import { Notice } from './features/world/notice.tsx';
import { useLive } from './live/use-live.ts';

export function App() {
  const state = useLive();
  const [open, setOpen] = useState<string>();
  const [syncing, setSyncing] = useState<string>();
  const [tracing, setTracing] = useState<{ query: string; namespace?: string | undefined }>();
  const applications = useMemo(() => state.applications && [...state.applications.values()], [state.applications]);
  const toSync = syncing === undefined ? undefined : state.applications?.get(syncing);
  const onTrace = (query: string, namespace?: string) => setTracing({ query, namespace });
  const { canWrite } = state;
  return (
    <>
      <Header state={state} />
      <Notice state={state} />
      <main className={state.connection === 'lost' ? 'stale' : ''}>
        <div className="column">
          {applications === undefined && state.connection !== 'unauthorized' && <Loading />}
          {applications?.length === 0 && <Empty />}
          {applications && applications.length > 0 && (
            <>
              <VersionMatrix applications={applications} onOpen={setOpen} onSync={setSyncing} canWrite={canWrite} />
              <Applications
                applications={applications}
                open={open}
                onOpen={setOpen}
                onSync={setSyncing}
                onTrace={onTrace}
                canWrite={canWrite}
              />
            </>
          )}
        </div>
        {applications && <Timeline events={state.events} onOpen={setOpen} />}
      </main>
      {toSync && <SyncDialog view={toSync} onClose={() => setSyncing(undefined)} />}
      {tracing && <TraceDrawer {...tracing} onClose={() => setTracing(undefined)} />}
    </>
  );
}
