import { EnvHttpProxyAgent } from 'undici';
import { throwIfAborted } from '#base/errors.ts';
import { type Packet, packetLine, parsePackets } from './pkt-line.ts';
import { type CommitSha, type GitCredentials, parseCommitSha } from './port.ts';
import { isMirrored, type RefSnapshot } from './refs.ts';

const refsLimit = 64 * 1024 * 1024;
const packLimit = 32 * 1024 * 1024;
const agent = 'agent=git/slipway';

export interface Remote {
  url: string;
  credentials: GitCredentials | undefined;
}

/**
 * The two questions of git's protocol version 2 that a mirror asks all the time, by one POST each: half the time of starting
 * git. Undefined whenever the answer is not a plain success: git itself is asked then, and explains what is wrong.
 */
export class UploadPack {
  readonly #agent: EnvHttpProxyAgent;

  /** `env` names proxies as git's environment does. */
  constructor(env: Readonly<Record<string, string>>) {
    const all = env['all_proxy'] ?? env['ALL_PROXY'] ?? '';
    this.#agent = new EnvHttpProxyAgent({
      httpProxy: env['http_proxy'] ?? all,
      httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? all,
      noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
      allowH2: false,
      keepAliveTimeout: 30_000,
      connect: { timeout: 5_000 },
      headersTimeout: 15_000,
      bodyTimeout: 15_000,
    });
  }

  /** The server's branches and tags. */
  async refs(remote: Remote, signal: AbortSignal): Promise<RefSnapshot | undefined> {
    const prefixes = ['HEAD', 'refs/heads/', 'refs/tags/'].map((prefix) => `ref-prefix ${prefix}\n`);
    const data = await this.#ask(remote, ['ls-refs', 'symrefs\n', ...prefixes], refsLimit, signal);
    const packets = data && parsePackets(data);
    return packets && parseLsRefs(packets);
  }

  /** A pack with what `wants` need beyond `haves`, as deltas to those too. */
  async pack(
    remote: Remote,
    ask: { wants: CommitSha[]; haves: CommitSha[] },
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const wants = ask.wants.map((oid) => `want ${oid}\n`);
    const haves = ask.haves.map((oid) => `have ${oid}\n`);
    const options = ['thin-pack', 'no-progress', 'ofs-delta'].map((option) => `${option}\n`);
    const data = await this.#ask(remote, ['fetch', ...options, ...wants, ...haves, 'done\n'], packLimit, signal);
    const packets = data && parsePackets(data);
    return packets && parsePack(packets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask(
    { url, credentials }: Remote,
    [command = '', ...args]: string[],
    limit: number,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const { origin, pathname, search } = new URL(url);
    const basic = credentials && Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    const head = [`command=${command}\n`, agent].map(packetLine).join('');
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        origin,
        path: `${pathname.replace(/\/$/, '')}/git-upload-pack${search}`,
        method: 'POST',
        signal,
        headers: {
          'user-agent': 'git/slipway',
          'git-protocol': 'version=2',
          'content-type': 'application/x-git-upload-pack-request',
          accept: 'application/x-git-upload-pack-result',
          ...(basic !== undefined && { authorization: `Basic ${basic}` }),
        },
        body: `${head}0001${args.map(packetLine).join('')}0000`,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of body) {
        size += chunk.byteLength;
        // Leaving the loop ends the connection: git brings what is this large.
        if (size > limit) return undefined;
        chunks.push(chunk);
      }
      const isResult = headers['content-type'] === 'application/x-git-upload-pack-result';
      return statusCode === 200 && isResult ? Buffer.concat(chunks) : undefined;
    } catch {
      // Whatever it was: the caller asks git, whose message is the better one.
      throwIfAborted(signal);
      return undefined;
    }
  }
}

/** Lines `<oid> <name>[ symref-target:<ref>]` up to a flush; undefined when it is anything else or cut off. */
export function parseLsRefs(packets: Packet[]): RefSnapshot | undefined {
  const refs = new Map<string, CommitSha>();
  let head: string | undefined;
  for (const packet of packets) {
    if (packet.kind !== 'data') return packet.kind === 'flush' ? { refs, head } : undefined;
    const [oid = '', name = '', ...attributes] = packet.data.toString('utf8').trimEnd().split(' ');
    const sha = parseCommitSha(oid);
    if (!sha && oid !== 'unborn') return undefined;
    if (sha && isMirrored(name)) refs.set(name, sha);
    const symref = attributes.find((attribute) => attribute.startsWith('symref-target:'));
    if (name === 'HEAD' && symref) head = symref.slice('symref-target:'.length);
  }
  return undefined;
}

/** The pack out of the `packfile` section: band 1 is data, 2 progress, 3 an error. Undefined when it does not end well. */
export function parsePack(packets: Packet[]): Buffer | undefined {
  const start = packets.findIndex((packet) => packet.kind === 'data' && String(packet.data) === 'packfile\n');
  if (start < 0) return undefined;
  const parts: Buffer[] = [];
  for (const packet of packets.slice(start + 1)) {
    if (packet.kind !== 'data') return packet.kind === 'flush' ? Buffer.concat(parts) : undefined;
    if (packet.data[0] === 1) parts.push(packet.data.subarray(1));
    else if (packet.data[0] !== 2) return undefined;
  }
  return undefined;
}
