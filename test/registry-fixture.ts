import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base/log.ts';
import type { Listening } from '#drydock/address.ts';
import { type RegistryDeps, startRegistry } from '#drydock/registry/start-registry.ts';
import { testClock, testEntropy } from './clock.ts';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

/** A registry on a directory of its own, and raw HTTP to it as somebody who may do everything. For tests. */
export class RegistryFixture implements AsyncDisposable {
  readonly dataDir: string;
  readonly #options: Partial<RegistryDeps>;
  #registry: Listening | undefined;

  private constructor(dataDir: string, options: Partial<RegistryDeps>) {
    this.dataDir = dataDir;
    this.#options = options;
  }

  static async start(options: Partial<RegistryDeps> = {}): Promise<RegistryFixture> {
    const fixture = new RegistryFixture(await mkdtemp(join(tmpdir(), 'registry-')), options);
    await fixture.open();
    return fixture;
  }

  get port(): number {
    return this.#registry?.port ?? 0;
  }

  get url(): string {
    return this.#registry?.url ?? '';
  }

  async open(): Promise<void> {
    this.#registry = await startRegistry({
      clock: testClock,
      entropy: testEntropy,
      logger: silentLogger,
      dataDir: this.dataDir,
      host: '127.0.0.1',
      port: 0,
      users: [
        { name: 'root', password: 'root-password', scopes: [{ repository: '*', actions: ['pull', 'push', 'delete'] }] },
        { name: 'reader', password: 'reader-password', scopes: [{ repository: 'team/*', actions: ['pull'] }] },
      ],
      ...this.#options,
    });
  }

  async close(): Promise<void> {
    await this.#registry?.[Symbol.asyncDispose]();
    this.#registry = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async send(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const authorization = ask.authorization ?? basic('root', 'root-password');
    const headers = { ...ask.headers, ...(authorization === '' ? {} : { authorization }) };
    const body = ask.body === undefined ? {} : { body: ask.body };
    const response = await fetch(new URL(path, this.url), { method, headers, ...body, redirect: 'manual' });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, text: bytes.toString('utf8') };
  }

  /** Starts an upload and returns its path. */
  async startUpload(repository: string): Promise<string> {
    const started = await this.send('POST', `/v2/${repository}/blobs/uploads/`);
    return started.headers.get('location') ?? '';
  }

  async pushBlob(repository: string, content: string | Buffer): Promise<string> {
    const digest = sha256(content);
    const location = await this.startUpload(repository);
    await this.send('PUT', `${location}?digest=${digest}`, { body: content });
    return digest;
  }

  async pushManifest(repository: string, reference: string, manifest: object | string): Promise<Answer> {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    const type = body.includes('"manifests"') ? indexType : manifestType;
    return await this.send('PUT', `/v2/${repository}/manifests/${reference}`, {
      body,
      headers: { 'content-type': type },
    });
  }

  /** An image of one layer with the given text, its parts pushed. */
  async imageOf(repository: string, content: string): Promise<object> {
    const config = await this.pushBlob(repository, `{"of":"${content}"}`);
    const layer = await this.pushBlob(repository, content);
    return {
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: content.length + 9 },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: content.length }],
    };
  }
}

export interface Ask {
  body?: string | Buffer;
  headers?: Record<string, string>;
  /** Empty for none. */
  authorization?: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  text: string;
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

export function sha256(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

export function codeOf(answer: Answer): string {
  return /"code":"([A-Z_]+)"/.exec(answer.text)?.[1] ?? '';
}
