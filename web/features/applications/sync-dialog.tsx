import { useMutation } from '@tanstack/react-query';
import type { ApplicationView } from '#server/contract.ts';
import { requestSync } from '../../api/client.ts';
import { Modal } from '../../parts/modal.tsx';
import { Problem } from '../../parts/problem.tsx';
import { DiffView } from './diff-view.tsx';

/** Shows what a sync changes and asks before it does. */
export function SyncDialog({ view, onClose }: { view: ApplicationView; onClose: () => void }) {
  const sync = useMutation({ mutationFn: () => requestSync(view.name), onSuccess: onClose });
  return (
    <Modal kind="dialog" title={`Sync ${view.name}`} onClose={onClose}>
      <p className="dialog-lead">
        {view.pendingVersion ? (
          <>
            Brings <b>{view.environment ?? view.namespace}</b> from <code>{view.version ?? 'nothing'}</code> to{' '}
            <code>{view.pendingVersion}</code>.
          </>
        ) : (
          <>
            Brings <b>{view.environment ?? view.namespace}</b> to what Git wants.
          </>
        )}
      </p>
      <DiffView view={view} />
      {sync.error && <Problem error={sync.error} />}
      <div className="dialog-actions">
        <button type="button" className="secondary" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="act" disabled={sync.isPending} onClick={() => sync.mutate()}>
          {sync.isPending ? 'Asking' : 'Sync now'}
        </button>
      </div>
    </Modal>
  );
}
