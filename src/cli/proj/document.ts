import { AppError } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Session } from '../session.ts';

/** An AppProject as the server gives and takes it. */
export interface ProjectDocument {
  metadata: JsonObject;
  spec: JsonObject;
}

const base = '/api/v1/projects';

export function projectPath(name: string, rest = ''): string {
  return `${base}/${encodeURIComponent(name)}${rest}`;
}

export function projectOf(answer: unknown): ProjectDocument {
  if (!isObject(answer)) throw new AppError('unavailable', 'the server answered with something that is not a project');
  return { ...answer, metadata: getObject(answer, 'metadata'), spec: getObject(answer, 'spec') };
}

export async function readProject(session: Session, name: string): Promise<ProjectDocument> {
  return projectOf(await session.client.request('GET', projectPath(name)));
}

/** Reads a project, changes its specification and writes it back, as `argocd proj` commands do. */
export async function changeProject(
  session: Session,
  name: string,
  change: (spec: JsonObject) => JsonObject,
): Promise<void> {
  const project = await readProject(session, name);
  await session.client.request('PUT', projectPath(name), { project: { ...project, spec: change(project.spec) } });
}

/** A list member with an entry added. Throws when it is there already. */
export function withEntry(spec: JsonObject, list: string, entry: unknown, what: string): JsonObject {
  const before = getArray(spec, list);
  if (before.some((other) => jsonEqual(other, entry))) throw new AppError('conflict', `${what} is there already`);
  return { ...spec, [list]: [...before, entry] };
}

/** A list member without an entry. Throws when it is not there. */
export function withoutEntry(
  spec: JsonObject,
  list: string,
  isIt: (entry: unknown) => boolean,
  what: string,
): JsonObject {
  const before = getArray(spec, list);
  const after = before.filter((entry) => !isIt(entry));
  if (after.length === before.length) throw new AppError('not-found', `${what} is not there`);
  return { ...spec, [list]: after };
}

export function field(entry: unknown, name: string): string {
  return getString(entry, name) ?? '';
}
