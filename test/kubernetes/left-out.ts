import assert from 'node:assert/strict';
import type { LeftOut } from './suite/case.ts';
import type { Cluster } from './suite/cluster.ts';
import { refused } from './suite/expect.ts';
import { pod } from './suite/objects.ts';

function notImplemented(what: string) {
  return { code: 501, reason: 'NotImplemented', message: `${what} is not implemented by this server` };
}

async function anyPod(k: Cluster): Promise<string> {
  if ((await k.get(k.at('pods', 'any'))).code === 404) await k.create(k.at('pods'), pod('any'));
  return k.at('pods', 'any');
}

function podPart(id: string, what: string, method: string): LeftOut {
  return {
    id,
    what,
    answer: '`501 NotImplemented`, as a Status that names the subresource',
    run: async (k) => {
      const answer = await k.send(method, `${await anyPod(k)}/${id}`, method === 'POST' ? { body: {} } : {});
      refused(answer, notImplemented(`pods/${id}`));
    },
  };
}

/** Of each thing that is left out: what it is, and that it is answered plainly, never ignored. */
export const leftOut: readonly LeftOut[] = [
  podPart('exec', 'commands in a container (`kubectl exec`, `cp`)', 'POST'),
  podPart('attach', 'attaching to a container', 'POST'),
  podPart('portforward', '`kubectl port-forward`', 'POST'),
  podPart('proxy', 'HTTP through the API server to pods', 'GET'),
  podPart('resize', 'changing the resources of a pod that runs', 'PATCH'),
  {
    id: 'account-token',
    what: 'tokens of service accounts (`kubectl create token`)',
    answer: '`501 NotImplemented`, as a Status that names the subresource',
    run: async (k) =>
      refused(await k.post(k.at('serviceaccounts', 'default', 'token'), {}), notImplemented('serviceaccounts/token')),
  },
  {
    id: 'protobuf-answers',
    what: 'protobuf and CBOR in answers (request bodies in protobuf are read)',
    answer: '`406` when the client takes nothing else; JSON when it does, as all known clients do',
    run: async (k) => {
      const accept = 'application/vnd.kubernetes.protobuf';
      assert.equal((await k.get(k.at('configmaps'), { accept })).code, 406);
      const both = await k.get(k.at('configmaps'), { accept: `${accept},application/json` });
      assert.deepEqual([both.code, both.headers['content-type']], [200, 'application/json']);
      assert.equal((await k.get(k.at('configmaps'), { accept: 'application/cbor' })).code, 406);
    },
  },
  {
    id: 'aggregation',
    what: 'the aggregation layer (APIService objects)',
    answer: '`404`: the group apiregistration.k8s.io is not served',
    run: async (k) => {
      const answer = await k.get('/apis/apiregistration.k8s.io/v1/apiservices');
      assert.equal(answer.code, 404);
    },
  },
  {
    id: 'beta-groups',
    what: 'groups of alpha and beta versions',
    answer: '`404`, as a real server answers for groups that are off',
    run: async (k) => {
      for (const group of [
        'admissionregistration.k8s.io/v1beta1',
        'resource.k8s.io/v1beta1',
        'storage.k8s.io/v1alpha1',
      ])
        assert.equal((await k.get(`/apis/${group}`)).code, 404, group);
    },
  },
  {
    id: 'webhooks',
    what: 'calling admission webhooks',
    answer: 'webhook configurations are stored, with a `Warning` header that says they are not called',
    run: async (k) => {
      const answer = await k.post('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations?dryRun=All', {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: k.name('hook') },
      });
      assert.equal(answer.code, 201, answer.text);
      assert.match(String(answer.headers['warning']), /^299 - ".*does not call them/);
    },
  },
  {
    id: 'quotas',
    what: 'enforcing ResourceQuota and LimitRange',
    answer: 'stored, with a `Warning` header that says so',
    run: async (k) => {
      for (const [resource, kind] of [
        ['resourcequotas', 'ResourceQuota'],
        ['limitranges', 'LimitRange'],
      ]) {
        const body = {
          apiVersion: 'v1',
          kind,
          metadata: { name: 'left-out' },
          spec: kind === 'LimitRange' ? { limits: [] } : {},
        };
        const answer = await k.post(`${k.at(resource ?? '')}?dryRun=All`, body);
        assert.equal(answer.code, 201, answer.text);
        assert.match(String(answer.headers['warning']), /^299 - ".*does not (?:enforce|apply) them/);
      }
    },
  },
  {
    id: 'conversion-webhooks',
    what: 'conversion webhooks of CustomResourceDefinitions',
    answer: '`422` for the definition, with the reason',
    run: async (k) => {
      const names = { plural: 'things', kind: 'Thing' };
      const answer = await k.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All', {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'things.suite.example.com' },
        spec: {
          group: 'suite.example.com',
          names,
          scope: 'Namespaced',
          conversion: {
            strategy: 'Webhook',
            webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://example.com/convert' } },
          },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      });
      assert.deepEqual([answer.code, answer.body['reason']], [422, 'Invalid'], answer.text);
      assert.match(answer.text, /spec\.conversion/);
    },
  },
];
