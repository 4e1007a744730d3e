import { AppError } from '#base/errors.ts';
import type { CatFile, GitObject, ObjectType } from './cat-file.ts';
import { Lru } from './lru.ts';
import { type ParsedCommit, parseCommit, parseTree, type TreeItem } from './objects.ts';
import { type CommitSha, parseCommitSha, type TreeEntry } from './port.ts';

/** A path that differs between two trees; undefined where it is absent. */
export interface TreeDifference {
  path: string;
  before: TreeEntry | undefined;
  after: TreeEntry | undefined;
}

const maxDepth = 200;

/**
 * Commits, trees and files by object id. Parsed trees and commits are cached: an object never changes. What a tree or a
 * commit names and the mirror does not have is `corrupt-data`.
 */
export class ObjectReader {
  readonly #objects: CatFile;
  readonly #trees = new Lru<TreeItem[]>(200_000, (items) => items.length + 1);
  readonly #commits = new Lru<ParsedCommit>(5_000, () => 1);
  readonly #files = new Lru<TreeEntry[]>(200_000, (files) => files.length + 1);

  constructor(objects: CatFile) {
    this.#objects = objects;
  }

  /** The commit that a full or shortened id, or the id of an annotated tag, stands for. */
  async findCommit(oid: string, signal: AbortSignal): Promise<CommitSha | undefined> {
    const object = await this.#objects.read(`${oid}^{commit}`, signal);
    return object && parseCommitSha(object.oid);
  }

  async commit(sha: CommitSha, signal: AbortSignal): Promise<ParsedCommit> {
    const cached = this.#commits.get(sha);
    if (cached) return cached;
    const object = await this.#objects.read(sha, signal);
    if (object?.type !== 'commit') throw new AppError('not-found', `commit ${sha} is not in the repository`);
    const commit = parseCommit(sha, object.data);
    this.#commits.set(sha, commit);
    return commit;
  }

  async tree(oid: string, signal: AbortSignal): Promise<TreeItem[]> {
    const cached = this.#trees.get(oid);
    if (cached) return cached;
    const items = parseTree((await this.#need(oid, 'tree', signal)).data);
    this.#trees.set(oid, items);
    return items;
  }

  /** The entry at `path`; '' is the root tree. */
  async entry(commit: CommitSha, path: string, signal: AbortSignal): Promise<TreeEntry | undefined> {
    const root = (await this.commit(commit, signal)).tree;
    let at: TreeEntry = { path: '', mode: '040000', type: 'tree', oid: root };
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      if (at.type !== 'tree') return undefined;
      const found = itemNamed(await this.tree(at.oid, signal), name);
      if (!found) return undefined;
      at = { ...found, path: at.path === '' ? name : `${at.path}/${name}` };
    }
    return at;
  }

  /** All files below a tree, with paths from its root, in byte order. */
  async files(tree: string, signal: AbortSignal, depth = 0): Promise<TreeEntry[]> {
    const cached = this.#files.get(tree);
    if (cached) return cached;
    if (depth > maxDepth) throw new AppError('limit', `folders are nested deeper than ${maxDepth}`);
    const items = await this.tree(tree, signal);
    const parts = await Promise.all(
      items.map(async (item) => {
        if (item.type !== 'tree') return [item];
        const below = await this.files(item.oid, signal, depth + 1);
        return below.map((entry) => ({ ...entry, path: `${item.path}/${entry.path}` }));
      }),
    );
    const files = parts.flat();
    this.#files.set(tree, files);
    return files;
  }

  async blob(oid: string, signal: AbortSignal): Promise<Buffer> {
    return (await this.#need(oid, 'blob', signal)).data;
  }

  /** Files that differ between two trees, in byte order. Equal subtrees are not read. */
  async difference(
    before: string | undefined,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<TreeDifference[]> {
    if (before === after) return [];
    const [old, now] = await Promise.all([this.#items(before, signal), this.#items(after, signal)]);
    const names = new Set([...old.keys(), ...now.keys()]);
    const parts = await Promise.all(
      [...names].map((name) => this.#differAt(name, old.get(name), now.get(name), signal)),
    );
    return parts.flat();
  }

  /** Forgets what was read, after the objects on disk were replaced. */
  clear(): void {
    this.#trees.clear();
    this.#commits.clear();
    this.#files.clear();
  }

  async #items(tree: string | undefined, signal: AbortSignal): Promise<Map<string, TreeItem>> {
    return new Map(tree === undefined ? [] : (await this.tree(tree, signal)).map((item) => [item.path, item]));
  }

  async #differAt(
    name: string,
    old: TreeItem | undefined,
    now: TreeItem | undefined,
    signal: AbortSignal,
  ): Promise<TreeDifference[]> {
    if (old?.oid === now?.oid && old?.mode === now?.mode) return [];
    const oldTree = old?.type === 'tree' ? old.oid : undefined;
    const nowTree = now?.type === 'tree' ? now.oid : undefined;
    const before = old && !oldTree ? old : undefined;
    const after = now && !nowTree ? now : undefined;
    const here: TreeDifference[] = before || after ? [{ path: name, before, after }] : [];
    const below = await this.difference(oldTree, nowTree, signal);
    return [...here, ...below.map((entry) => rebased(name, entry))];
  }

  async #need(oid: string, type: ObjectType, signal: AbortSignal): Promise<GitObject> {
    const object = await this.#objects.read(oid, signal);
    if (!object) throw new AppError('corrupt-data', `${type} ${oid} is missing`);
    if (object.type !== type) throw new AppError('bad-input', `object ${oid} is a ${object.type}, not a ${type}`);
    return object;
  }
}

const largeTree = 32;
const byName = new WeakMap<TreeItem[], Map<string, TreeItem>>();

/** Folders of a thousand applications are asked for each of them. */
function itemNamed(items: TreeItem[], name: string): TreeItem | undefined {
  if (items.length < largeTree) return items.find((item) => item.path === name);
  let names = byName.get(items);
  if (!names) {
    names = new Map(items.map((item) => [item.path, item]));
    byName.set(items, names);
  }
  return names.get(name);
}

function rebased(folder: string, { path, before, after }: TreeDifference): TreeDifference {
  const full = `${folder}/${path}`;
  return { path: full, before: before && { ...before, path: full }, after: after && { ...after, path: full } };
}
