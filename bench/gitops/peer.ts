import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { projectRoot } from '#main/programs.ts';
import { ProcessMeter } from './process-meter.ts';

const webhookSecret = 'bench';

export interface PeerOptions {
  kubeconfig: string;
  /** Of the Application objects. */
  namespace: string;
  /** A file to write a CPU profile into. */
  profile?: string | undefined;
}

/** Slipway under test: `slipway serve` as a process of its own, known by its public faces only. */
export class Peer implements AsyncDisposable {
  readonly #options: PeerOptions;
  readonly #data = mkdtempSync(join(tmpdir(), 'bench-slipway-'));
  #child: ChildProcess | undefined;
  #url = '';
  #token = '';

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  get meter(): ProcessMeter {
    return new ProcessMeter(this.#child?.pid ?? 0);
  }

  /** Starts it and gives the milliseconds until its API answers. */
  async start(): Promise<number> {
    const { kubeconfig, namespace, profile } = this.#options;
    const began = performance.now();
    const file = join(this.#data, 'server.json');
    rmSync(file, { force: true });
    const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-name=${profile}`, '--cpu-prof-dir=.'];
    const cli = join(projectRoot, 'src', 'main', 'cli.ts');
    const args = ['serve', '--kubeconfig', kubeconfig, '--namespace', namespace, '--port', '0', '--data', this.#data];
    this.#child = spawn(process.execPath, [...flags, cli, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SLIPWAY_WEBHOOK_SECRET: webhookSecret, LOG_LEVEL: 'error' },
    });
    for (let tries = 0; tries < 6000; tries += 1) {
      if (this.#child.exitCode !== null) throw new Error(`slipway serve ended with ${this.#child.exitCode}`);
      if (existsSync(file)) {
        const info: unknown = JSON.parse(readFileSync(file, 'utf8'));
        if (typeof info === 'object' && info !== null && 'url' in info && 'token' in info) {
          this.#url = String(info.url);
          this.#token = String(info.token);
          return performance.now() - began;
        }
      }
      await delay(10);
    }
    throw new Error('slipway serve did not come up in a minute');
  }

  /** Tells it of a push, as GitHub would. */
  async webhook(cloneUrl: string, branch: string): Promise<void> {
    const body = JSON.stringify({
      ref: `refs/heads/${branch}`,
      repository: { clone_url: cloneUrl, full_name: 'bench/bench', default_branch: 'main' },
      pusher: { name: 'bench' },
    });
    const { statusCode, body: answer } = await request(`${this.#url}/api/webhook`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`,
      },
      body,
    });
    const text = await answer.text();
    if (statusCode !== 200) throw new Error(`the webhook was answered ${statusCode}: ${text}`);
  }

  /** A counter of its /metrics, labels summed; undefined when it has none of that name. */
  async metrics(): Promise<Map<string, number>> {
    const { body } = await request(`${this.#url}/metrics`, { headers: { authorization: `Bearer ${this.#token}` } });
    const out = new Map<string, number>();
    for (const line of (await body.text()).split('\n')) {
      const match = /^([a-z_]+)(?:\{.*\})? ([0-9.e+]+)$/.exec(line);
      if (match?.[1]) out.set(match[1], (out.get(match[1]) ?? 0) + Number(match[2]));
    }
    return out;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGTERM');
    rmSync(this.#data, { recursive: true, force: true });
  }
}
