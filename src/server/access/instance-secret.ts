import type { InstanceStore } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

export type SecretData = Record<string, string>;

const attemptsMax = 5;

/** The values of a Secret as texts. */
export function decodeSecret(object: KubeObject): SecretData {
  const data = object['data'];
  if (!isObject(data)) return {};
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value ?? ''), 'base64').toString('utf8')]),
  );
}

export function encodeSecret(data: SecretData): SecretData {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')]),
  );
}

export interface SecretChange {
  name: string;
  /** For a Secret that has to be made first. */
  labels?: Record<string, string>;
  /** The data to be; called again on newer data when another writer was first. Undefined: nothing to do. */
  change: (data: SecretData) => SecretData | undefined;
}

/** Changes the data of one Secret of the instance, or of a ConfigMap with `kind`; no other writer's change is lost. */
export async function changeData(
  instance: InstanceStore,
  kind: 'Secret' | 'ConfigMap',
  { name, labels, change }: SecretChange,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = instance;
  for (let attempt = 1; ; attempt += 1) {
    const current = await instance.get(kind, { name, namespace }, signal);
    const plain = kind === 'ConfigMap';
    const data = current === undefined ? {} : plain ? plainData(current) : decodeSecret(current);
    const wanted = change(data);
    if (wanted === undefined) return;
    const object: KubeObject = {
      ...(current ?? { apiVersion: 'v1', kind, metadata: { name, namespace, ...(labels ? { labels } : {}) } }),
      data: plain ? wanted : encodeSecret(wanted),
    };
    try {
      await (current === undefined ? instance.create(object, signal) : instance.replace(object, signal));
      return;
    } catch (error) {
      if (!isAppError(error, 'conflict') || attempt >= attemptsMax) throw error;
    }
  }
}

function plainData(object: KubeObject): SecretData {
  const data = object['data'];
  if (!isObject(data)) return {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value ?? '')]));
}

/** The value behind `$key` (of `argocd-secret`) or `$name:key` (of another Secret of the namespace); other texts as they are. */
export function resolveReference(instance: InstanceStore, text: string): string {
  if (!text.startsWith('$')) return text;
  const reference = text.slice(1);
  const colon = reference.indexOf(':');
  const name = colon < 0 ? 'argocd-secret' : reference.slice(0, colon);
  const value = instance.secret(name)[colon < 0 ? reference : reference.slice(colon + 1)];
  if (value !== undefined) return value.trim();
  throw new AppError('bad-input', `"${text}" names a value that the Secret ${name} does not have`);
}
