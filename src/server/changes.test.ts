import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { application } from '../../test/web/application.ts';
import { MemoryAudit, MemoryEngine } from '../../test/web/memory-engine.ts';
import { clearSight, MemoryInstance, noResources } from '../../test/web/memory-instance.ts';
import { type ListeningServer, startServer } from './server.ts';

const token = 'changes-test-token';
const instance = new MemoryInstance();
const audit = new MemoryAudit();
const engine = new MemoryEngine();
let server: ListeningServer;

before(async () => {
  engine.put(application({ name: 'shop', automated: false }));
  server = await startServer({
    engine,
    resources: noResources,
    instance,
    sight: clearSight,
    audit,
    tracer: { trace: async () => ({ subject: '', application: undefined, steps: [] }) },
    logger: silentLogger,
    clock: testClock,
    entropy: testEntropy,
    host: '127.0.0.1',
    port: 0,
    webhookSecret: undefined,
    token,
    anonymousRead: false,
    version: '0',
    webDir: '.',
  });
});
after(() => server[Symbol.asyncDispose]());

async function ask(method: string, path: string, body?: unknown): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-slipway-actor': 'kim' };
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const project = { project: { metadata: { name: 'p1' }, spec: {} } };
const rows: { name: string; request: [string, string, unknown?]; status: number; told: string[]; event?: string[] }[] =
  [
    {
      name: 'a project is made',
      request: ['POST', '/api/v1/projects', project],
      status: 200,
      told: ['kim created project p1'],
      event: ['AppProject', 'ResourceCreated'],
    },
    {
      name: 'the same again, as a request that was answered',
      request: ['POST', '/api/v1/projects', project],
      status: 200,
      told: ['kim asked for POST /api/v1/projects'],
    },
    {
      name: 'a sync is asked for',
      request: ['POST', '/api/v1/applications/shop/sync', { resources: [{ kind: 'Service', name: 's' }] }],
      status: 200,
      told: ['kim initiated partial sync of shop'],
      event: ['Application', 'OperationStarted'],
    },
    { name: 'a refusal', request: ['POST', '/api/v1/applications/shop/sync', {}], status: 400, told: [] },
    {
      name: 'credentials do not stand in what is kept',
      request: ['PUT', `/api/v1/repocreds/${encodeURIComponent('https://u:hunter2@h')}`, {}],
      status: 404,
      told: [],
    },
    {
      name: 'credentials are made',
      request: ['POST', '/api/v1/repocreds', { url: 'https://u:hunter2@h/o' }],
      status: 200,
      told: ['kim asked for POST /api/v1/repocreds'],
    },
    {
      name: 'and deleted',
      request: ['DELETE', `/api/v1/repocreds/${encodeURIComponent('https://u:hunter2@h/o')}`],
      status: 200,
      told: ['kim asked for DELETE /api/v1/repocreds/https://h/o'],
    },
    { name: 'reading is not told', request: ['GET', '/api/v1/projects'], status: 200, told: [] },
  ];
for (const { name, request, status, told, event } of rows)
  test(`told: ${name}`, async () => {
    const before = audit.events.length;
    const known = (await instance.list('Event', {})).length;
    assert.equal(await ask(...(request as [string, string, unknown])), status);
    const fresh = audit.events.slice(before);
    assert.deepEqual(
      fresh.map(({ message }) => message),
      told,
    );
    const events = (await instance.list('Event', {})).slice(known);
    assert.deepEqual(
      events.map((item) => [(item['involvedObject'] as { kind: string }).kind, item['reason']]),
      event ? [event] : [],
    );
  });
