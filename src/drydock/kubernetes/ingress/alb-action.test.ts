import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IngressWorld } from '../../../../test/ingress-world.ts';
import { eventually } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';
import { parseAlbAction } from './alb-action.ts';

const key = (name: string): string => `alb.ingress.kubernetes.io/actions.${name}`;

const rows: { name: string; value: unknown; want: unknown }[] = [
  {
    name: 'as Argo Rollouts writes weights',
    value: {
      Type: 'forward',
      ForwardConfig: {
        TargetGroups: [
          { ServiceName: 'canary', ServicePort: '80', Weight: 10 },
          { ServiceName: 'stable', ServicePort: 'http', Weight: 90 },
        ],
      },
    },
    want: {
      kind: 'forward',
      groups: [
        { service: 'canary', port: 80, weight: 10 },
        { service: 'stable', port: 'http', weight: 90 },
      ],
    },
  },
  {
    name: 'one target group needs no weight',
    value: { type: 'forward', forwardConfig: { targetGroups: [{ serviceName: 'a', servicePort: 80 }] } },
    want: { kind: 'forward', groups: [{ service: 'a', port: 80, weight: 1 }] },
  },
  {
    name: 'a redirect to TLS',
    value: { type: 'redirect', redirectConfig: { protocol: 'HTTPS', port: '443', statusCode: 'HTTP_301' } },
    want: { kind: 'redirect', redirect: { status: 301, scheme: 'https' } },
  },
  {
    name: 'a redirect to another path',
    value: { type: 'redirect', redirectConfig: { path: '/x', statusCode: 'HTTP_302' } },
    want: `${key('x')}: a redirect to another path is not supported`,
  },
  {
    name: 'a fixed response',
    value: { type: 'fixed-response', fixedResponseConfig: { statusCode: '418', messageBody: 'tea' } },
    want: { kind: 'answer', status: 418, contentType: 'text/plain', body: 'tea' },
  },
  {
    name: 'target groups by ARN',
    value: { type: 'forward', targetGroupARN: 'arn:aws:x' },
    want: `${key('x')}: it names no target groups of Services`,
  },
  {
    name: 'a login',
    value: { type: 'authenticate-oidc' },
    want: `${key('x')}: an action of type "authenticate-oidc" is not supported`,
  },
];

for (const { name, value, want } of rows)
  test(`an action of the AWS load balancer controller: ${name}`, () => {
    assert.deepEqual(parseAlbAction({ [key('x')]: JSON.stringify(value) }, 'x'), want);
  });

test('an action that is missing or is no JSON is told', () => {
  assert.match(String(parseAlbAction({}, 'x')), /the annotation .*actions\.x is missing/);
  assert.match(String(parseAlbAction({ [key('x')]: '{' }, 'x')), /actions\.x is not valid JSON/);
});

test('the weights of an action split the traffic, and change with the annotation', async () => {
  await using world = await IngressWorld.start();
  await world.backend('stable');
  await world.backend('canary');
  const action = (weight: number): string =>
    JSON.stringify({
      Type: 'forward',
      ForwardConfig: {
        TargetGroups: [
          { ServiceName: 'canary', ServicePort: '80', Weight: weight },
          { ServiceName: 'stable', ServicePort: '80', Weight: 100 - weight },
        ],
      },
    });
  const path = (at: string, name: string) => ({
    path: at,
    pathType: 'ImplementationSpecific',
    backend: { service: { name, port: { name: 'use-annotation' } } },
  });
  const ingress: ApiObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'shop',
      namespace: 'default',
      annotations: {
        [key('root')]: action(25),
        [key('tea')]: '{"type":"fixed-response","fixedResponseConfig":{"statusCode":"418","messageBody":"tea"}}',
      },
    },
    spec: { ingressClassName: 'alb', rules: [{ http: { paths: [path('/tea', 'tea'), path('/*', 'root')] } }] },
  };
  await world.create(ingress);
  const shares = async (count: number): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (let at = 0; at < count; at += 1) {
      const { text } = await world.ask('/any/path');
      found[text] = (found[text] ?? 0) + 1;
    }
    return found;
  };
  assert.deepEqual(await shares(80), { canary: 20, stable: 60 });
  const tea = await world.ask('/tea');
  assert.deepEqual([tea.status, tea.text], [418, 'tea']);
  await world.api.mergePatch(
    'ingresses.networking.k8s.io',
    'default',
    'shop',
    { metadata: { annotations: { [key('root')]: action(100) } } },
    { manager: 'rollouts-controller' },
  );
  await eventually('all of it', async () => (await shares(4))['canary'] === 4);
});
