import { getNumber, getObject, getPath, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type ControllerDeps, deleteIfPresent, isAlreadyExists } from './loop.ts';
import { ownerReferenceTo, stringMap } from './ownership.ts';
import { sameTemplate, templateHash } from './template-hash.ts';

export const revisionHashLabel = 'controller-revision-hash';

export interface Revision {
  object: ApiObject;
  name: string;
  /** Of the name, as pods of a DaemonSet carry it. */
  hash: string;
  number: number;
  template: JsonObject;
}

/** The revision of the owner's current template, created when it is new; and all others, oldest first. */
export async function ensureRevision(
  deps: ControllerDeps,
  owner: ApiObject,
  manager: string,
): Promise<{ current: Revision; all: Revision[] }> {
  const template = getObject(owner, 'spec', 'template');
  const all = deps.api
    .ownedBy(owner.metadata.uid ?? '')
    .filter((owned) => owned.kind === 'ControllerRevision')
    .map(readRevision)
    .sort((a, b) => a.number - b.number);
  const newest = (all.at(-1)?.number ?? 0) + 1;
  const known = all.findLast((revision) => sameTemplate(revision.template, template));
  if (known) {
    if (known === all.at(-1)) return { current: known, all };
    // An earlier template came back: its revision becomes the newest.
    const object = await deps.api.update({ ...known.object, revision: newest }, manager);
    const current = readRevision(object);
    return { current, all: [...all.filter((revision) => revision !== known), current] };
  }
  const hash = templateHash(template, 0);
  const object: ApiObject = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.metadata.name}-${hash}`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: { ...stringMap(getPath(template, 'metadata', 'labels')), [revisionHashLabel]: hash },
      // The change cause, for one: `kubectl rollout history` reads it here.
      ...(owner.metadata.annotations === undefined ? {} : { annotations: { ...owner.metadata.annotations } }),
      ownerReferences: [ownerReferenceTo(owner)],
    },
    data: { spec: { template: { ...template, $patch: 'replace' } } },
    revision: newest,
  };
  try {
    const current = readRevision(await deps.api.create(object, manager));
    return { current, all: [...all, current] };
  } catch (error) {
    // Left by an owner of the same name that is being collected: try again when it is gone.
    if (isAlreadyExists(error)) throw new Error(`the revision ${object.metadata.name} belongs to another owner`);
    throw error;
  }
}

/** Deletes the oldest revisions beyond the limit; those in `used` stay. */
export async function trimRevisions(
  deps: ControllerDeps,
  revisions: { all: Revision[]; used: ReadonlySet<string>; limit: number },
): Promise<void> {
  const unused = revisions.all.filter((revision) => !revisions.used.has(revision.name));
  for (const revision of unused.slice(0, Math.max(0, unused.length - revisions.limit)))
    await deleteIfPresent(deps.api, 'controllerrevisions.apps', revision.object);
}

function readRevision(object: ApiObject): Revision {
  const stored = getObject(object, 'data', 'spec', 'template');
  const { $patch: _patch, ...template } = stored;
  const hash = object.metadata.labels?.[revisionHashLabel] ?? '';
  return {
    object,
    name: object.metadata.name,
    hash,
    number: getNumber(object, 'revision') ?? 0,
    template: isObject(template) ? template : {},
  };
}
