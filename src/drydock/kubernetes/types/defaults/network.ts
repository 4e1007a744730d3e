import type { JsonObject } from '#base/json.ts';
import { child, childOrNew, children, fill } from './fill.ts';

/** All but the addresses and node ports, which the server allots. */
export function defaultService(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  fill(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  if (spec['sessionAffinity'] === 'ClientIP') {
    fill(childOrNew(childOrNew(spec, 'sessionAffinityConfig'), 'clientIP'), { timeoutSeconds: 10800 });
  }
  for (const port of children(spec, 'ports')) {
    fill(port, { protocol: 'TCP' });
    if (port['targetPort'] === undefined || port['targetPort'] === 0 || port['targetPort'] === '') {
      port['targetPort'] = port['port'];
    }
  }
  const { type } = spec;
  const external = type === 'NodePort' || type === 'LoadBalancer';
  if (external) fill(spec, { externalTrafficPolicy: 'Cluster' });
  if (type === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true });
  if (external || type === 'ClusterIP') fill(spec, { internalTrafficPolicy: 'Cluster' });
}

export function defaultNetworkPolicy(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  for (const direction of ['ingress', 'egress']) {
    for (const rule of children(spec, direction)) {
      for (const port of children(rule, 'ports')) fill(port, { protocol: 'TCP' });
    }
  }
  const types = ['Ingress', ...(children(spec, 'egress').length > 0 ? ['Egress'] : [])];
  if (!Array.isArray(spec['policyTypes']) || spec['policyTypes'].length === 0) spec['policyTypes'] = types;
}

export function defaultEndpointSlice(object: JsonObject): void {
  for (const port of children(object, 'ports')) fill(port, { name: '', protocol: 'TCP' });
}

export function defaultEndpoints(object: JsonObject): void {
  for (const subset of children(object, 'subsets')) {
    for (const port of children(subset, 'ports')) fill(port, { protocol: 'TCP' });
  }
}

export function defaultWebhooks(object: JsonObject): void {
  for (const webhook of children(object, 'webhooks')) {
    fill(webhook, {
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
    });
    if (object['kind'] === 'MutatingWebhookConfiguration') fill(webhook, { reinvocationPolicy: 'Never' });
    const service = child(child(webhook, 'clientConfig'), 'service');
    if (service !== undefined) fill(service, { port: 443 });
    for (const rule of children(webhook, 'rules')) fill(rule, { scope: '*' });
  }
}
