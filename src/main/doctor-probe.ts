import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#base/errors.ts';
import type { DoctorProbe } from '#cli/doctor/checks.ts';
import { findServer } from '#cli/server-file.ts';
import { createKubeClient } from '#kube/client.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { isPortFree } from './data-directory.ts';
import { createLogger } from './logger.ts';
import { findProgram } from './programs.ts';
import { systemClock } from './system.ts';
import { readWorldInfo } from './world-info.ts';

const run = promisify(execFile);

const versionArguments: Record<string, string[]> = {
  git: ['--version'],
  helm: ['version', '--short'],
  kubectl: ['version', '--client'],
  docker: ['--version'],
  buildah: ['--version'],
};

/** Looks at this machine for `slipway doctor`. Nothing is changed, nothing is installed. */
export function machineProbe(cwd: string): DoctorProbe {
  const data = resolve(cwd, '.slipway');
  return {
    nodeVersion: () => process.version,
    async program(name, signal) {
      const found = findProgram(name);
      if (!found) return undefined;
      try {
        const { stdout } = await run(found.path, versionArguments[name] ?? ['--version'], { signal, timeout: 10_000 });
        return { path: found.path, version: stdout.trim().split('\n')[0] ?? '' };
      } catch (error) {
        return { path: found.path, version: `does not run: ${messageOf(error)}` };
      }
    },
    async dataDirectory() {
      return { path: data, exists: existsSync(data), problem: problemOf(data) };
    },
    async server(signal) {
      let url: string | undefined;
      try {
        const address = findServer(cwd, { server: process.env['SLIPWAY_SERVER'], token: process.env['SLIPWAY_TOKEN'] });
        url = address.url;
        const answer = await fetch(`${url}/api/version`, {
          headers: { authorization: `Bearer ${address.token}` },
          signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
        });
        const body: unknown = await answer.json();
        return { url, version: String(Object(body).Version ?? answer.status) };
      } catch (error) {
        return { url, problem: messageOf(error) };
      }
    },
    async cluster(signal) {
      const own = join(data, 'kubeconfig');
      const path = process.env['KUBECONFIG'] ?? (existsSync(own) ? own : undefined);
      if (path === undefined)
        return { server: undefined, problem: 'no kubeconfig: neither KUBECONFIG nor a world here' };
      let server: string | undefined;
      try {
        const target = await loadKubeTarget({ path });
        server = target.server;
        await using client = createKubeClient({
          target,
          clock: systemClock,
          logger: createLogger({ level: 'silent' }),
          requestTimeoutMs: 5_000,
        });
        return { server, version: (await client.version(signal)).gitVersion };
      } catch (error) {
        return { server, problem: messageOf(error) };
      }
    },
    ports: () => portStates(data),
  };
}

function problemOf(data: string): string | undefined {
  if (!existsSync(data)) return undefined;
  try {
    accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function portStates(data: string): ReturnType<DoctorProbe['ports']> {
  const path = join(data, 'ports.json');
  if (!existsSync(path)) return [];
  let ports: unknown;
  try {
    ports = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return [{ name: 'ports.json (damaged)', port: 0, state: 'taken' }];
  }
  const alive = worldIsAlive(join(data, 'world.json'));
  return Promise.all(
    Object.entries(Object(ports)).map(async ([name, value]) => {
      const port = Number(value);
      const state = (await isPortFree(port)) ? 'free' : alive ? 'ours' : 'taken';
      return { name, port, state } as const;
    }),
  );
}

function worldIsAlive(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    process.kill(readWorldInfo(path).pid, 0);
    return true;
  } catch {
    return false;
  }
}
