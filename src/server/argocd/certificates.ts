import { createHash, X509Certificate } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { InstanceStore } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import type { Guard } from '../access/guard.ts';
import { changeData } from '../access/instance-secret.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { queryFlag } from './access.ts';

export interface HostCertificate {
  serverName: string;
  certType: 'ssh' | 'https';
  certSubType: string;
  /** Base64: the key of a host, or the PEM of authorities. */
  certData: string;
  certInfo: string;
}

const Body = z.looseObject({
  items: z.array(
    z.looseObject({
      serverName: z.string().min(1),
      certType: z.enum(['ssh', 'https']),
      certSubType: z.string().default(''),
      certData: z.string(),
    }),
  ),
});

const sshName = 'argocd-ssh-known-hosts-cm';
const tlsName = 'argocd-tls-certs-cm';
const sshKey = 'ssh_known_hosts';

function sshCertificate(serverName: string, type: string, key: string): HostCertificate {
  const print = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  const certData = Buffer.from(key, 'utf8').toString('base64');
  return { serverName, certType: 'ssh', certSubType: type, certData, certInfo: `SHA256:${print}` };
}

function sshCertificates(text: string): HostCertificate[] {
  return text.split('\n').flatMap((raw) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    const [hosts = '', type = '', key = ''] = line.split(/\s+/);
    return hosts.split(',').map((host) => sshCertificate(host, type, key));
  });
}

function tlsCertificate(serverName: string, pem: string): HostCertificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    let read: X509Certificate;
    try {
      read = new X509Certificate(block);
    } catch {
      return [];
    }
    const certSubType = read.publicKey.asymmetricKeyType ?? '';
    const certInfo = read.subject.replaceAll('\n', ',');
    return [{ serverName, certType: 'https', certSubType, certData: Buffer.from(block).toString('base64'), certInfo }];
  });
}

/** Host keys and authorities that repositories are trusted by: two ConfigMaps of the instance. */
export function certificates({ instance, guard }: { instance: InstanceStore; guard: Guard }): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();

  function all(): HostCertificate[] {
    const tls = Object.entries(instance.config(tlsName)).flatMap(([host, pem]) => tlsCertificate(host, pem));
    return [...sshCertificates(instance.config(sshName)[sshKey] ?? ''), ...tls];
  }

  function selected(c: Context<ServerEnv>): HostCertificate[] {
    const { req } = c;
    const [pattern, type, subType] = [req.query('hostNamePattern'), req.query('certType'), req.query('certSubType')];
    return all().filter(
      (item) =>
        (!pattern || globMatch(pattern, item.serverName)) &&
        (!type || type === '*' || item.certType === type) &&
        (!subType || subType === '*' || item.certSubType === subType),
    );
  }

  const list = (items: HostCertificate[]) => ({ metadata: {}, items: items.length > 0 ? items : null });

  app.get('/certificates', (c) => {
    const who = c.get('principal');
    return c.json(list(selected(c).filter(({ serverName }) => guard.allows(who, 'certificates', 'get', serverName))));
  });

  app.post('/certificates', async (c) => {
    const { items } = await readBody(c, Body);
    const who = c.get('principal');
    const upsert = queryFlag(c, 'upsert') ?? false;
    const known = all();
    const made: HostCertificate[] = [];
    for (const { serverName, certType, certSubType, certData } of items) {
      guard.demand(who, 'certificates', 'create', serverName);
      const text = Buffer.from(certData, 'base64').toString('utf8');
      const read =
        certType === 'ssh' ? [sshCertificate(serverName, certSubType, text)] : tlsCertificate(serverName, text);
      if (read.length === 0) throw new AppError('bad-input', `the data for ${serverName} is no PEM certificate`);
      const same = known.filter(
        (item) =>
          item.serverName === serverName &&
          item.certType === certType &&
          (certType === 'https' || item.certSubType === certSubType),
      );
      const isNew = read.some((item) => !same.some(({ certData: data }) => data === item.certData));
      if (same.length > 0 && isNew && !upsert)
        throw new AppError(
          'bad-input',
          `certificate for ${serverName} is known and different; use upsert to replace it`,
        );
      if (isNew) made.push(...read);
    }
    await keep(made, c.req.raw.signal);
    return c.json(list(made));
  });

  async function keep(made: readonly HostCertificate[], signal: AbortSignal): Promise<void> {
    const ssh = made.filter(({ certType }) => certType === 'ssh');
    const hosts = new Map<string, string>();
    for (const { serverName, certType, certData } of made)
      if (certType === 'https')
        hosts.set(serverName, `${hosts.get(serverName) ?? ''}${Buffer.from(certData, 'base64').toString('utf8')}\n`);
    const labels = { 'app.kubernetes.io/part-of': 'argocd' };
    if (ssh.length > 0)
      await changeData(
        instance,
        'ConfigMap',
        { name: sshName, labels, change: (data) => ({ ...data, [sshKey]: withHosts(data[sshKey] ?? '', ssh) }) },
        signal,
      );
    if (hosts.size > 0)
      await changeData(
        instance,
        'ConfigMap',
        { name: tlsName, labels, change: (data) => ({ ...data, ...Object.fromEntries(hosts) }) },
        signal,
      );
  }

  app.delete('/certificates', async (c) => {
    const gone = selected(c);
    const who = c.get('principal');
    for (const { serverName } of gone) guard.demand(who, 'certificates', 'delete', serverName);
    const { signal } = c.req.raw;
    const ssh = gone.filter(({ certType }) => certType === 'ssh');
    const hosts = new Set(gone.filter(({ certType }) => certType === 'https').map(({ serverName }) => serverName));
    if (ssh.length > 0)
      await changeData(
        instance,
        'ConfigMap',
        { name: sshName, change: (data) => ({ ...data, [sshKey]: withoutHosts(data[sshKey] ?? '', ssh) }) },
        signal,
      );
    if (hosts.size > 0)
      await changeData(
        instance,
        'ConfigMap',
        {
          name: tlsName,
          change: (data) => Object.fromEntries(Object.entries(data).filter(([host]) => !hosts.has(host))),
        },
        signal,
      );
    return c.json(list(gone));
  });

  return app;
}

function lineOf({ serverName, certSubType, certData }: HostCertificate): string {
  return `${serverName} ${certSubType} ${Buffer.from(certData, 'base64').toString('utf8')}`;
}

function withoutHosts(text: string, gone: readonly HostCertificate[]): string {
  const isGone = (host: string, type: string) =>
    gone.some(({ serverName, certSubType }) => serverName === host && certSubType === type);
  const lines = text.split('\n').flatMap((line) => {
    const [hosts = '', type = '', ...rest] = line.trim().split(/\s+/);
    if (line.trim() === '' || line.startsWith('#') || rest.length === 0) return [line];
    const kept = hosts.split(',').filter((host) => !isGone(host, type));
    return kept.length === 0 ? [] : [[kept.join(','), type, ...rest].join(' ')];
  });
  return lines.join('\n');
}

function withHosts(text: string, made: readonly HostCertificate[]): string {
  const kept = withoutHosts(text, made).replace(/\n*$/, '');
  return `${[kept, ...made.map(lineOf)].filter((line) => line !== '').join('\n')}\n`;
}
