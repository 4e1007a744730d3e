import { posix } from 'node:path';
import { unreachable } from '#base/assert.ts';
import { AppError } from '#base/errors.ts';
import type { ImageConfig } from '#oci/port.ts';
import { type Accounts, resolveOwner } from './base-accounts.ts';
import type { BuildContext, ContextEntry, FoundSource } from './build-context.ts';
import type { CopyInstruction, Dockerfile, Instruction } from './dockerfile.ts';
import { expandWord } from './dockerfile-words.ts';
import type { LayerEntry } from './layer.ts';

export interface PlannedLayer {
  /** As it stands in the image's history. */
  createdBy: string;
  entries: LayerEntry[];
}

export interface ImagePlan {
  layers: PlannedLayer[];
  config: ImageConfig['config'];
}

/** Directories that any base worth the name has: a COPY to one of them without a slash goes into it. */
const usualDirectories =
  '/ /bin /etc /home /lib /opt /root /sbin /srv /tmp /usr /usr/bin /usr/lib /usr/local /usr/local/bin /usr/share /var'.split(
    ' ',
  );

interface State {
  config: ImageConfig['config'];
  variables: Map<string, string>;
  workdir: string;
  directories: Set<string>;
  /** Directories made by WORKDIR since the last layer. */
  pending: LayerEntry[];
  commandSet: boolean;
  layers: PlannedLayer[];
  accounts: () => Promise<Accounts>;
}

/** Works out layers and configuration of a Dockerfile on top of a base's configuration. Reads names of files, not contents. */
export async function planImage(
  dockerfile: Dockerfile,
  base: { config: ImageConfig; empty: boolean; accounts: () => Promise<Accounts> },
  context: BuildContext,
): Promise<ImagePlan> {
  const inherited = base.config.config;
  const state: State = {
    config: structuredClone(inherited),
    variables: new Map((inherited.Env ?? []).map(splitVariable)),
    workdir: inherited.WorkingDir || '/',
    directories: new Set(base.empty ? ['/'] : usualDirectories),
    pending: [],
    commandSet: false,
    layers: [],
    accounts: base.accounts,
  };
  addDirectory(state, state.workdir);
  for (const instruction of dockerfile.instructions) await step(state, instruction, context);
  if (state.pending.length > 0) state.layers.push({ createdBy: 'WORKDIR', entries: state.pending });
  return { layers: state.layers, config: state.config };
}

async function step(state: State, instruction: Instruction, context: BuildContext): Promise<void> {
  const { config } = state;
  const expand = (word: string) => expandAt(word, state.variables, instruction.line);
  switch (instruction.kind) {
    case 'copy':
      await copy(state, instruction, context);
      return;
    case 'env': {
      // All values see the variables as they were before this instruction.
      const pairs = instruction.pairs.map(([name, value]) => [expand(name), expand(value)] as const);
      for (const [name, value] of pairs) state.variables.set(name, value);
      config.Env = [...state.variables].map(([name, value]) => `${name}=${value}`);
      return;
    }
    case 'label':
      config.Labels = { ...config.Labels, ...Object.fromEntries(instruction.pairs.map((pair) => pair.map(expand))) };
      return;
    case 'workdir':
      state.workdir = posix.resolve(state.workdir, expand(instruction.value)).replace(/(?<=.)\/$/, '');
      config.WorkingDir = state.workdir;
      if (!state.directories.has(state.workdir))
        state.pending.push({ type: 'directory', path: state.workdir.slice(1), mode: 0o755 });
      addDirectory(state, state.workdir);
      return;
    case 'user':
      config.User = expand(instruction.value);
      return;
    case 'expose':
      for (const port of instruction.ports.flatMap((word) => expand(word).split(/\s+/)))
        config.ExposedPorts = { ...config.ExposedPorts, [exposedPort(port, instruction.line)]: {} };
      return;
    case 'cmd':
      config.Cmd = instruction.command;
      state.commandSet = true;
      return;
    case 'entrypoint':
      config.Entrypoint = instruction.command;
      // A base's command was meant for the base's entrypoint.
      if (!state.commandSet) delete config.Cmd;
      return;
    default:
      unreachable(instruction);
  }
}

function expandAt(word: string, variables: ReadonlyMap<string, string>, line: number): string {
  try {
    return expandWord(word, variables);
  } catch (error) {
    throw atLine(error, line);
  }
}

function atLine(error: unknown, line: number): unknown {
  if (!(error instanceof AppError)) return error;
  return new AppError(error.code, `Dockerfile line ${line}: ${error.message}`, { hint: error.hint });
}

function exposedPort(text: string, line: number): string {
  const [, port, protocol = 'tcp'] = /^(\d{1,5}(?:-\d{1,5})?)(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  if (port === undefined)
    throw new AppError('bad-input', `Dockerfile line ${line}: "${text}" is not a port such as 8080 or 53/udp`);
  return `${port}/${protocol.toLowerCase()}`;
}

async function copy(state: State, instruction: CopyInstruction, context: BuildContext): Promise<void> {
  const expand = (word: string) => expandAt(word, state.variables, instruction.line);
  const sources = instruction.sources.map(expand);
  const found: FoundSource[] = [];
  for (const source of sources) found.push(...(await context.find(source, instruction.line)));
  const written = expand(instruction.destination);
  const destination = posix.resolve(state.workdir, written);
  const namesDirectory = /(?:^|\/)\.?$/.test(written) || state.directories.has(destination.replace(/(?<=.)\/$/, ''));
  const only = found.length === 1 ? found[0] : undefined;
  if (!only && !namesDirectory)
    throw new AppError(
      'bad-input',
      `Dockerfile line ${instruction.line}: COPY of several sources needs a destination that ends with /`,
    );
  const rights = { owner: await ownerOf(state, instruction), mode: instruction.mode };
  const entries: LayerEntry[] = [];
  for (const source of found) {
    const into = source.directory ? destination : namesDirectory ? posix.join(destination, source.name) : destination;
    if (source.directory && !state.directories.has(into) && into !== '/') entries.push(directoryEntry(into, rights));
    if (source.directory || namesDirectory) addDirectory(state, destination);
    for (const entry of source.entries) {
      const path = posix.join(into, entry.path);
      entries.push(layerEntry(path.slice(1), entry, rights));
      addDirectory(state, entry.type === 'directory' ? path : posix.dirname(path));
    }
  }
  state.layers.push({
    createdBy: `COPY ${instruction.sources.join(' ')} ${instruction.destination}`,
    entries: [...state.pending, ...entries],
  });
  state.pending = [];
}

interface Rights {
  owner: { uid: number; gid: number } | undefined;
  mode: number | undefined;
}

async function ownerOf(state: State, { owner, line }: CopyInstruction): Promise<Rights['owner']> {
  if (!owner) return undefined;
  return await resolveOwner(owner, state.accounts).catch((error: unknown) => {
    throw atLine(error, line);
  });
}

function directoryEntry(path: string, { owner }: Rights): LayerEntry {
  return { type: 'directory', path: path.slice(1), mode: 0o755, ...owner };
}

/** Modes are 0755 or 0644 by the executable bit, so that the umask of a checkout does not change the image. */
function layerEntry(path: string, entry: ContextEntry, { owner, mode }: Rights): LayerEntry {
  switch (entry.type) {
    case 'directory':
      return { type: 'directory', path, mode: 0o755, ...owner };
    case 'symlink':
      return { type: 'symlink', path, target: entry.target, mode: 0o777, ...owner };
    case 'file': {
      const { file, size, executable } = entry;
      return { type: 'file', path, file, size, mode: mode ?? (executable ? 0o755 : 0o644), ...owner };
    }
    default:
      return unreachable(entry);
  }
}

function addDirectory(state: State, path: string): void {
  for (let at = path; at !== '/' && at !== '.'; at = posix.dirname(at)) state.directories.add(at);
}

function splitVariable(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
