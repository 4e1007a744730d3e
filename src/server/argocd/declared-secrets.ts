import type { InstanceStore } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { getObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { labels } from '#model/argocd/names.ts';
import { decodeSecret, encodeSecret, type SecretData } from '../access/instance-secret.ts';

export type SecretType = 'cluster' | 'repository' | 'repo-creds' | 'repository-write' | 'repo-write-creds';

const managedBy = 'managed-by';
const manager = 'argocd.argoproj.io';

/** FNV-1a, 32 bits: the numbers in the names of the Secrets that Argo CD makes. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** A Secret of the instance that declares something, with its values decoded. */
export interface DeclaredSecret {
  object: KubeObject;
  data: SecretData;
}

export async function listDeclared(
  instance: InstanceStore,
  type: SecretType,
  signal: AbortSignal,
): Promise<DeclaredSecret[]> {
  const { namespace } = instance;
  const found = await instance.list('Secret', { namespace, labelSelector: `${labels.secretType}=${type}` }, signal);
  return found.map((object) => ({ object, data: decodeSecret(object) }));
}

export interface NewDeclaration {
  type: SecretType;
  name: string;
  data: SecretData;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Throws `conflict` when a Secret of that name is there. */
export async function createDeclared(
  instance: InstanceStore,
  { type, name, data, ...more }: NewDeclaration,
  signal: AbortSignal,
): Promise<DeclaredSecret> {
  const object = await instance.create(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace: instance.namespace,
        labels: { ...more.labels, [labels.secretType]: type },
        annotations: { ...more.annotations, [managedBy]: manager },
      },
      data: encodeSecret(data),
    },
    signal,
  );
  return { object, data };
}

/** Gives a declaration new values; what the object has beside them stays. */
export async function replaceDeclared(
  instance: InstanceStore,
  { object }: DeclaredSecret,
  data: SecretData,
  signal: AbortSignal,
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string> } = {},
): Promise<DeclaredSecret> {
  const merged = {
    ...object.metadata,
    labels: { ...object.metadata.labels, ...metadata.labels },
    annotations: { ...object.metadata.annotations, ...metadata.annotations },
  };
  const written = await instance.replace({ ...object, metadata: merged, data: encodeSecret(data) }, signal);
  return { object: written, data };
}

/** Deletes a Secret that was made for the purpose; a person's own only loses the label by which it counts. */
export async function deleteDeclared(
  instance: InstanceStore,
  { object }: DeclaredSecret,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = object.metadata;
  if (object.metadata.annotations?.[managedBy] === manager) {
    await instance.delete('Secret', { name, namespace }, {}, signal);
    return;
  }
  const { [labels.secretType]: _, ...kept } = getObject(object, 'metadata', 'labels');
  const metadata = { ...object.metadata, labels: kept as Record<string, string> };
  await instance.replace({ ...object, metadata }, signal);
}

/** Texts of a request as values of a Secret; what is empty, false or zero says nothing. */
export function secretDataOf(fields: Readonly<Record<string, unknown>>): SecretData {
  const data: SecretData = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || value === null || value === '' || value === false || value === 0) continue;
    if (typeof value === 'string') data[key] = value;
    else if (typeof value === 'boolean' || typeof value === 'number') data[key] = String(value);
    else throw new AppError('bad-input', `${key} must be a text, a number or a truth value`);
  }
  return data;
}
