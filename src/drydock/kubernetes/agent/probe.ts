import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { ProbeAction, ProbeSpec } from './pod-spec.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbeOutcome {
  ok: boolean;
  message: string;
}

export interface ProbeTarget {
  podIp: string;
  /** The loopback address of a container port given by number or name; undefined for an unknown name. */
  resolve(port: number | string): { host: string; port: number; containerPort: number } | undefined;
  exec(command: string[], timeoutMs: number): Promise<ProbeOutcome>;
}

/** Tries once. Never throws: whatever goes wrong is a failed probe with its reason. */
export async function probeOnce(action: ProbeAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
  switch (action.kind) {
    case 'unsupported':
      return { ok: false, message: `${action.what} probes are not supported by this node` };
    case 'exec':
      return target.exec(action.command, timeoutMs);
    case 'tcp': {
      const address = target.resolve(action.port);
      return address ? tcpProbe(address, target.podIp, timeoutMs) : unknownPort(action.port);
    }
    case 'http': {
      const address = target.resolve(action.port);
      return address ? httpProbe(action, { ...address, podIp: target.podIp }, timeoutMs) : unknownPort(action.port);
    }
  }
}

function unknownPort(port: number | string): ProbeOutcome {
  return { ok: false, message: `couldn't find port: ${port}` };
}

function tcpProbe(
  address: { host: string; port: number; containerPort: number },
  podIp: string,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port, timeout: timeoutMs });
    const finish = (ok: boolean, why: string): void => {
      socket.destroy();
      resolve({ ok, message: ok ? '' : `dial tcp ${podIp}:${address.containerPort}: ${why}` });
    };
    socket.once('connect', () => finish(true, ''));
    socket.once('timeout', () => finish(false, 'i/o timeout'));
    socket.once('error', (error) => finish(false, connectError(error)));
  });
}

function connectError(error: Error): string {
  return 'code' in error && error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message;
}

function httpProbe(
  action: ProbeAction & { kind: 'http' },
  address: { host: string; port: number; containerPort: number; podIp: string },
  timeoutMs: number,
): Promise<ProbeOutcome> {
  const path = action.path.startsWith('/') ? action.path : `/${action.path}`;
  const url = `${action.scheme.toLowerCase()}://${address.podIp}:${address.containerPort}${path}`;
  return new Promise((resolve) => {
    const fail = (why: string): void => resolve({ ok: false, message: `Get "${url}": ${why}` });
    const request = (action.scheme === 'HTTPS' ? httpsRequest : httpRequest)(
      {
        host: address.host,
        port: address.port,
        path,
        method: 'GET',
        agent: false,
        headers: {
          host: `${address.podIp}:${address.containerPort}`,
          'user-agent': 'kube-probe/1.33',
          accept: '*/*',
          connection: 'close',
          ...Object.fromEntries(action.headers.map(([name, value]) => [name.toLowerCase(), value])),
        },
        rejectUnauthorized: false,
      },
      (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        if (status >= 200 && status < 400) resolve({ ok: true, message: '' });
        else resolve({ ok: false, message: `HTTP probe failed with statuscode: ${status}` });
      },
    );
    const timer = setTimeout(() => {
      fail('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
      request.destroy();
    }, timeoutMs);
    request.once('error', (error) =>
      fail(`dial tcp ${address.podIp}:${address.containerPort}: ${connectError(error)}`),
    );
    request.once('close', () => clearTimeout(timer));
    request.end();
  });
}

export interface ProbeCount {
  successes: number;
  failures: number;
}

export type Verdict = 'success' | 'failure' | undefined;

/** Counts one outcome; the verdict is reached when as many in a row as the threshold asks for agree. */
export function countProbe(count: ProbeCount, ok: boolean, spec: ProbeSpec): { count: ProbeCount; verdict: Verdict } {
  const next = ok ? { successes: count.successes + 1, failures: 0 } : { successes: 0, failures: count.failures + 1 };
  if (ok) return { count: next, verdict: next.successes >= spec.successThreshold ? 'success' : undefined };
  return { count: next, verdict: next.failures >= spec.failureThreshold ? 'failure' : undefined };
}
