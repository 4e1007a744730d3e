import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '#base/errors.ts';
import { type Logger, silentLogger } from '#base/log.ts';
import type { AgentTiming } from '#drydock/kubernetes/agent/agent-deps.ts';
import type { ImageConfig, PullImage } from '#drydock/kubernetes/agent/image.ts';
import { type NodeAgent, startNodeAgent } from '#drydock/kubernetes/agent/start.ts';
import type { ApiServer } from '#drydock/kubernetes/api/port.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { startControllers } from '#drydock/kubernetes/controllers/start.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { testClock, testEntropy } from './clock.ts';

export interface World extends AsyncDisposable {
  api: ApiServer;
  agent: NodeAgent;
  dir: string;
  /** Names of images pulled, in order. */
  pulled: string[];
  /** Stops the agent as a crash would leave things to a next one, and starts another on the same directory. */
  restartAgent(): Promise<void>;
}

export interface TestImage {
  files: Record<string, string>;
  config?: ImageConfig;
}

export const fastTiming: AgentTiming = {
  restart: { firstMs: 150, maxMs: 1000 },
  pull: { firstMs: 150, maxMs: 1000 },
  stableRunMs: 600_000,
  earlyProbeMs: 20,
  drainMs: 1000,
  shutdownGraceMs: 500,
  heartbeatMs: 10_000,
};

const consoleLogger: Logger = {
  debug: (fields, message) => console.log('debug', message, fields),
  info: (fields, message) => console.log('info', message, fields),
  warn: (fields, message) => console.log('warn', message, fields),
  error: (fields, message) => console.log('error', message, fields),
};

/** A real API server with controllers and a node agent, all in this process, on images given as files. */
export async function startWorld(
  images: Record<string, TestImage>,
  options: { timing?: Partial<AgentTiming>; controllers?: boolean } = {},
): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'drydock-agent-'));
  const base = {
    clock: testClock,
    entropy: testEntropy,
    logger: process.env['DRYDOCK_TEST_LOG'] ? consoleLogger : silentLogger,
  };
  const server = await startApiServer({ ...base, types: createTypeRegistry(), dataDir: undefined });
  const { api } = server;
  const controllers =
    options.controllers === false
      ? undefined
      : startControllers(
          { api, ...base },
          { caCertificate: server.caPem, volumesDir: join(dir, 'volumes'), jobBackoff: { firstMs: 100, maxMs: 1000 } },
        );
  const pulled: string[] = [];
  const pullImage = imagesIn(join(dir, 'images'), images, pulled);
  const start = (): Promise<NodeAgent> =>
    startNodeAgent(
      {
        api,
        ...base,
        runtimeDir: join(dir, 'runtime'),
        hostEnv: { PATH: process.env['PATH'] ?? '/bin:/usr/bin' },
        pullImage,
        certificateFor: server.certificateFor,
      },
      { timing: { ...fastTiming, ...options.timing } },
    );
  const world: World = {
    api,
    agent: await start(),
    dir,
    pulled,
    async restartAgent() {
      await world.agent[Symbol.asyncDispose]();
      world.agent = await start();
    },
    async [Symbol.asyncDispose]() {
      await world.agent[Symbol.asyncDispose]();
      await controllers?.[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return world;
}

function imagesIn(dir: string, images: Record<string, TestImage>, pulled: string[]): PullImage {
  return async (name) => {
    pulled.push(name);
    const image = images[name];
    if (!image) throw new AppError('not-found', `manifest for ${name} not found`);
    const rootfs = join(dir, encodeURIComponent(name));
    for (const [path, content] of Object.entries(image.files)) {
      await mkdir(dirname(join(rootfs, path)), { recursive: true });
      await writeFile(join(rootfs, path), content);
      await chmod(join(rootfs, path), 0o755);
    }
    const bin = join(rootfs, 'usr', 'local', 'bin');
    await mkdir(bin, { recursive: true });
    await rm(join(bin, 'node'), { force: true });
    await symlink(process.execPath, join(bin, 'node'));
    return { digest: `sha256:${'a'.repeat(64)}`, rootfs, config: image.config ?? {} };
  };
}

/** Looks until `check` gives a value, and fails after ten seconds saying what was waited for. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const until = Date.now() + 10_000;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > until) throw new Error(`waited 10 s for ${what}`);
    await delay(10);
  }
}
