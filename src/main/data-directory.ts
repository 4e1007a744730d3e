import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError, messageOf } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';

const Port = z.number().int().min(1).max(65535);
const Ports = z.strictObject({
  kubernetes: Port,
  registry: Port,
  forge: Port,
  slipway: Port,
  ingressHttp: Port,
  ingressHttps: Port,
});
export type Ports = z.infer<typeof Ports>;
/** Worlds of before Ingresses were served are given their ports when they are next started. */
const StoredPorts = Ports.partial({ ingressHttp: true, ingressHttps: true });

/** Everything a laptop world keeps: one directory, used by one process at a time. */
export interface DataDirectory extends Disposable {
  path(...parts: string[]): string;
  /** The world's ports: chosen free on the first start and kept, because addresses stand in Git and in kubeconfigs. */
  ports(): Promise<Ports>;
}

/** Writes so that after a crash the file is either the old or the new one, whole. */
export function writeFileDurably(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.${process.pid}.new`;
  const file = openSync(temporary, 'w', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** Opens or makes the directory; throws AppError conflict when a living process uses it, corrupt-data when it is not one of ours. */
export function openDataDirectory(root: string): DataDirectory {
  if (existsSync(root) && !statSync(root).isDirectory()) {
    throw new AppError('corrupt-data', `${root} is not a directory`, {
      hint: `move it away, or choose another with --data`,
    });
  }
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const lock = join(root, 'lock');
  takeLock(lock, root);
  return {
    path: (...parts) => join(root, ...parts),
    ports: () => readOrChoosePorts(join(root, 'ports.json')),
    [Symbol.dispose]: () => rmSync(lock, { force: true }),
  };
}

function takeLock(lock: string, root: string): void {
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      const file = openSync(lock, 'wx', 0o600);
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw new AppError('corrupt-data', `${root} cannot be written: ${messageOf(error)}`, { cause: error });
      }
    }
    const owner = Number.parseInt(readFileSync(lock, 'utf8'), 10);
    if (owner > 0 && owner !== process.pid && isAlive(owner)) {
      throw new AppError('conflict', `${root} is in use by process ${owner}`, {
        hint: `end that process first, or choose another directory with --data; if no Slipway runs, remove ${lock}`,
      });
    }
    rmSync(lock, { force: true });
  }
  throw new AppError('conflict', `${root} could not be locked`, { hint: 'another Slipway is starting there' });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function readOrChoosePorts(path: string): Promise<Ports> {
  if (existsSync(path)) {
    const parsed = StoredPorts.safeParse(tryParse(path));
    if (parsed.success) return await completePorts(path, parsed.data);
    throw new AppError('corrupt-data', `${path} does not hold this world's ports`, {
      hint: `restore it, or move the whole directory away to start a new world`,
    });
  }
  const [kubernetes, registry, forge, slipway, ingressHttp, ingressHttps] = await freePorts(6);
  const ports = Ports.parse({ kubernetes, registry, forge, slipway, ingressHttp, ingressHttps });
  writeFileDurably(path, `${JSON.stringify(ports)}\n`);
  return ports;
}

async function completePorts(path: string, stored: z.infer<typeof StoredPorts>): Promise<Ports> {
  const complete = Ports.safeParse(stored);
  if (complete.success) return complete.data;
  const [ingressHttp, ingressHttps] = await freePorts(2);
  const ports = Ports.parse({ ingressHttp, ingressHttps, ...stored });
  writeFileDurably(path, `${JSON.stringify(ports)}\n`);
  return ports;
}

function tryParse(path: string): unknown {
  try {
    return parseJson(readFileSync(path, 'utf8'), path);
  } catch {
    return undefined;
  }
}

/** Loopback ports nobody listens on now, all different: each is held until all are found. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
