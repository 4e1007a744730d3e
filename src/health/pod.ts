import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';
import { type Health, health } from './health.ts';

function statuses(object: KubeObject): unknown[] {
  return [...getArray(object, 'status', 'initContainerStatuses'), ...getArray(object, 'status', 'containerStatuses')];
}

function waitingTrouble(object: KubeObject): string | undefined {
  const messages: string[] = [];
  for (const status of getArray(object, 'status', 'containerStatuses')) {
    const reason = getString(status, 'state', 'waiting', 'reason') ?? '';
    if (reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff'))
      messages.push(getString(status, 'state', 'waiting', 'message') ?? reason);
  }
  return messages.length > 0 ? messages.join(', ') : undefined;
}

function failureMessage(object: KubeObject): string {
  const own = getString(object, 'status', 'message');
  if (own) return own;
  for (const status of statuses(object)) {
    const terminated = getPath(status, 'state', 'terminated');
    if (terminated === undefined) continue;
    const message = getString(terminated, 'message');
    if (message) return message;
    if (getString(terminated, 'reason') === 'OOMKilled') return 'OOMKilled';
    const code = getNumber(terminated, 'exitCode') ?? 0;
    if (code !== 0) return `container "${getString(status, 'name') ?? ''}" failed with exit code ${code}`;
  }
  return '';
}

function runningHealth(object: KubeObject, serves: boolean): Health {
  if (!serves) return health('Progressing', getString(object, 'status', 'message'));
  const ready = getArray(object, 'status', 'conditions').find((c) => getString(c, 'type') === 'Ready');
  if (getString(ready, 'status') === 'True') return health('Healthy', getString(object, 'status', 'message'));
  const crashed = getArray(object, 'status', 'containerStatuses').some(
    (status) => getPath(status, 'lastState', 'terminated') !== undefined,
  );
  return health(crashed ? 'Degraded' : 'Progressing', getString(object, 'status', 'message'));
}

/** core/Pod. */
export function podHealth(object: KubeObject): Health {
  const notes = object.metadata.annotations ?? {};
  const isHook = notes[annotations.hook] !== undefined || notes[annotations.helmHook] !== undefined;
  const policy = getString(object, 'spec', 'restartPolicy') ?? 'Always';
  const serves = policy === 'Always' || (notes[annotations.ignoreRestartPolicy] === 'true' && !isHook);
  if (serves) {
    const trouble = waitingTrouble(object);
    if (trouble !== undefined) return health('Degraded', trouble);
  }
  switch (getString(object, 'status', 'phase')) {
    case 'Pending':
      return health('Progressing', getString(object, 'status', 'message'));
    case 'Succeeded':
      return health('Healthy', getString(object, 'status', 'message'));
    case 'Failed':
      return health('Degraded', failureMessage(object));
    case 'Running':
      return runningHealth(object, serves);
    default:
      return health('Unknown', getString(object, 'status', 'message'));
  }
}
