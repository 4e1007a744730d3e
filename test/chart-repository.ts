import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';

export type ArchiveEntry = Partial<Header> & { name: string; content?: string | Buffer };

/** A tar archive packed by gzip, of entries as they are given, sound or not. */
export async function packEntries(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry({ mtime: new Date(0), ...header }, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(Buffer.from(chunk as Uint8Array));
  return gzipSync(Buffer.concat(chunks));
}

/** Files of a chart, by their path in it, as `helm package` packs them. */
export async function packChart(name: string, files: Record<string, string>): Promise<Buffer> {
  return await packEntries(Object.entries(files).map(([path, content]) => ({ name: `${name}/${path}`, content })));
}

/** The least that is a chart: its name and version, and one ConfigMap that shows `value`. */
export function smallChart(name: string, version: string, value = '{{ .Values.v }}'): Record<string, string> {
  return {
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
    'values.yaml': `v: ${name}-${version}\n`,
    'templates/cm.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-{{ .Release.Name }}\ndata:\n  v: "${value}"\n`,
  };
}

export interface Published {
  chart: string;
  version: string;
  archive: Buffer;
  /** Instead of the file beside the index. */
  url?: string;
  digest?: string | null;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A Helm repository over HTTP as simple servers are: an index, archives beside it, ETags, perhaps a password. */
export class ChartRepositoryServer implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  readonly files = new Map<string, Buffer>();
  readonly published: Published[] = [];
  /** Wanted of every request, as an Authorization header. */
  authorization: string | undefined;
  /** Asked first; true when it has answered. */
  answer: Answer | undefined;
  readonly #server: Server;
  readonly #scheme: string;

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
    server.on('request', (request, response) => this.#serve(request, response));
  }

  static async start(tls?: ServerOptions): Promise<ChartRepositoryServer> {
    const server = tls ? createTlsServer(tls) : createServer();
    const own = new ChartRepositoryServer(server, tls ? 'https' : 'http');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return own;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}/charts`;
  }

  async publish(chart: string, version: string, files = smallChart(chart, version)): Promise<void> {
    this.add({ chart, version, archive: await packChart(chart, files) });
  }

  add(published: Published): void {
    this.published.push(published);
    this.files.set(`/charts/${published.chart}-${published.version}.tgz`, published.archive);
    this.writeIndex();
  }

  writeIndex(): void {
    const lines = ['apiVersion: v1', 'entries:'];
    for (const chart of new Set(this.published.map((one) => one.chart))) {
      lines.push(`  ${chart}:`);
      for (const { version, archive, url, digest } of this.published.filter((one) => one.chart === chart)) {
        lines.push(`  - name: ${chart}`, `    version: "${version}"`, '    urls:');
        lines.push(`    - ${url ?? `${chart}-${version}.tgz`}`);
        const sha = digest ?? createHash('sha256').update(archive).digest('hex');
        if (digest !== null) lines.push(`    digest: ${sha}`);
      }
    }
    this.files.set('/charts/index.yaml', Buffer.from(`${lines.join('\n')}\n`));
  }

  /** What was asked for since the last call. */
  taken(): string[] {
    return this.requests.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '', this.url).pathname;
    this.authorizations.push(request.headers.authorization);
    if (this.answer?.(request, response)) {
      this.requests.push(`${path} ${response.statusCode}`);
      return;
    }
    const content = this.files.get(path);
    const etag = content && `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
    const wrong = this.authorization !== undefined && request.headers.authorization !== this.authorization;
    const status = wrong ? 401 : content === undefined ? 404 : request.headers['if-none-match'] === etag ? 304 : 200;
    this.requests.push(`${path.replace('/charts/', '')} ${status}`);
    response.writeHead(status, etag && !wrong ? { etag } : {});
    response.end(status === 200 ? content : undefined);
  }
}
