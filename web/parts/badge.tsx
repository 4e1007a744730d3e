import type { HealthStatus, SyncStatusCode } from '#model/argocd/application.ts';
import { Icon } from './icon.tsx';
import type { IconName } from './icon-paths.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'busy' | 'drift' | 'quiet';

const syncLook: Record<SyncStatusCode, { tone: Tone; icon: IconName; text: string }> = {
  Synced: { tone: 'good', icon: 'check', text: 'Synced' },
  OutOfSync: { tone: 'wait', icon: 'arrowUp', text: 'Out of sync' },
  Unknown: { tone: 'quiet', icon: 'question', text: 'Unknown' },
};

const healthLook: Record<HealthStatus, { tone: Tone; icon: IconName; text: string }> = {
  Healthy: { tone: 'good', icon: 'check', text: 'Healthy' },
  Progressing: { tone: 'busy', icon: 'spin', text: 'Progressing' },
  Degraded: { tone: 'bad', icon: 'cross', text: 'Degraded' },
  Suspended: { tone: 'quiet', icon: 'pause', text: 'Suspended' },
  Missing: { tone: 'wait', icon: 'dash', text: 'Missing' },
  Unknown: { tone: 'quiet', icon: 'question', text: 'Unknown' },
};

export function Badge({ tone, icon, text, title }: { tone: Tone; icon: IconName; text: string; title?: string }) {
  return (
    <span className={`badge ${tone}`} title={title}>
      <Icon name={icon} size={11} />
      {text}
    </span>
  );
}

export function SyncBadge({ status }: { status: SyncStatusCode }) {
  return <Badge {...syncLook[status]} />;
}

export function HealthBadge({ status, message }: { status: HealthStatus; message?: string | undefined }) {
  return <Badge {...healthLook[status]} {...(message ? { title: message } : {})} />;
}
