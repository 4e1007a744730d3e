import { EnvHttpProxyAgent } from 'undici';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { throwIfAborted } from '#base/errors.ts';
import { authorizationOf } from './access.ts';
import { type Packet, packetLine, parsePackets } from './pkt-line.ts';
import { type CommitSha, type GitAccess, parseCommitSha } from './port.ts';
import { isMirrored, type RefSnapshot } from './refs.ts';

const refsLimit = 64 * 1024 * 1024;
const packLimit = 32 * 1024 * 1024;
const reportLimit = 1024 * 1024;
const agent = 'agent=git/slipway';

const maxAgents = 32;

function newAgent(env: Readonly<Record<string, string>>, access: GitAccess | undefined): EnvHttpProxyAgent {
  const all = env['all_proxy'] ?? env['ALL_PROXY'] ?? '';
  const { ca, clientCert, clientKey, insecure, proxy, noProxy } = access ?? {};
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(clientCert === undefined ? {} : { cert: clientCert }),
    ...(clientKey === undefined ? {} : { key: clientKey }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  };
  return new EnvHttpProxyAgent({
    httpProxy: proxy ?? env['http_proxy'] ?? all,
    httpsProxy: proxy ?? env['https_proxy'] ?? env['HTTPS_PROXY'] ?? all,
    noProxy: (proxy === undefined ? (env['no_proxy'] ?? env['NO_PROXY']) : noProxy) ?? '',
    allowH2: false,
    keepAliveTimeout: 30_000,
    connect: { timeout: 5_000, ...tls },
    requestTls: tls,
    headersTimeout: 15_000,
    bodyTimeout: 15_000,
  });
}

export interface Remote {
  url: string;
  credentials: GitAccess | undefined;
}

export interface PushedRef {
  ref: string;
  from: CommitSha;
  to: CommitSha;
  /** What `to` needs beyond `from`. */
  pack: Buffer;
}

/**
 * What a mirror asks of a server all the time, in git's protocol by one POST each: half the time of starting git. Undefined
 * whenever the answer is not a plain one: git itself does the same then, and explains what is wrong.
 */
export class SmartHttp {
  readonly #env: Readonly<Record<string, string>>;
  /** By how the server is reached, the one used last at the end. */
  readonly #agents = new Map<string, EnvHttpProxyAgent>();

  /** `env` names proxies as git's environment does. */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
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

  /**
   * Moves a branch if it still is where it was. Undefined leaves open whether it moved: asking git to push the same again
   * settles it.
   */
  async push(remote: Remote, { ref, from, to, pack }: PushedRef, signal: AbortSignal): Promise<PushReport | undefined> {
    const command = packetLine(`${from} ${to} ${ref}\0 report-status ${agent}\n`);
    const body = Buffer.concat([Buffer.from(`${command}0000`), pack]);
    const data = await this.#post(remote, { service: 'git-receive-pack', body, limit: reportLimit }, signal);
    const packets = data && parsePackets(data);
    return packets && parseReport(packets, ref);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  #agentFor(access: GitAccess | undefined): EnvHttpProxyAgent {
    const { ca, clientCert, clientKey, insecure, proxy, noProxy } = access ?? {};
    const key = sha256Hex(canonicalJson([ca, clientCert, clientKey, insecure === true, proxy, noProxy]));
    const agent = this.#agents.get(key) ?? newAgent(this.#env, access);
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    const [oldest] = this.#agents;
    if (oldest && this.#agents.size > maxAgents) {
      this.#agents.delete(oldest[0]);
      // What is under way ends first.
      void oldest[1].close();
    }
    return agent;
  }

  #ask(remote: Remote, [command = '', ...args]: string[], limit: number, signal: AbortSignal) {
    const head = [`command=${command}\n`, agent].map(packetLine).join('');
    const body = Buffer.from(`${head}0001${args.map(packetLine).join('')}0000`);
    return this.#post(remote, { service: 'git-upload-pack', body, limit }, signal);
  }

  async #post(
    { url, credentials }: Remote,
    { service, body, limit }: { service: string; body: Buffer; limit: number },
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    const { origin, pathname, search } = new URL(url);
    const authorization = authorizationOf(credentials);
    try {
      const answer = await this.#agentFor(credentials).request({
        origin,
        path: `${pathname.replace(/\/$/, '')}/${service}${search}`,
        method: 'POST',
        signal,
        headers: {
          'user-agent': 'git/slipway',
          ...(service === 'git-upload-pack' && { 'git-protocol': 'version=2' }),
          'content-type': `application/x-${service}-request`,
          accept: `application/x-${service}-result`,
          ...(authorization !== undefined && { authorization }),
        },
        body,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body) {
        size += chunk.byteLength;
        // Leaving the loop ends the connection: git brings what is this large.
        if (size > limit) return undefined;
        chunks.push(chunk);
      }
      const isResult = answer.headers['content-type'] === `application/x-${service}-result`;
      return answer.statusCode === 200 && isResult ? Buffer.concat(chunks) : undefined;
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

export type PushReport = 'moved' | 'lost race';

const lostRace = /fetch first|non-fast-forward|cannot lock ref|failed to update ref|incorrect old value|stale info/;

/** Whether a refusal of a ref says that another writer was first. */
export function isLostRace(reason: string): boolean {
  return lostRace.test(reason);
}

/** `unpack ok`, then `ok <ref>` or `ng <ref> <reason>`. Undefined for any other trouble. */
export function parseReport(packets: Packet[], ref: string): PushReport | undefined {
  const lines = packets.flatMap((packet) => (packet.kind === 'data' ? packet.data.toString('utf8').trimEnd() : []));
  if (lines[0] !== 'unpack ok' || packets.at(-1)?.kind !== 'flush') return undefined;
  if (lines.includes(`ok ${ref}`)) return 'moved';
  const refusal = lines.find((line) => line.startsWith(`ng ${ref} `));
  return refusal && isLostRace(refusal) ? 'lost race' : undefined;
}
