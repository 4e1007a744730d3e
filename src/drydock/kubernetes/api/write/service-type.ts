import { getArray, getObject, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { ApiObject } from '../port.ts';

/**
 * Takes away what belonged to the type that a Service had and the request left as it was; what the request itself
 * changed stays, for validation to refuse. In place.
 */
export function dropFieldsOfOldType(spec: JsonObject, old: ApiObject): void {
  const before = getObject(old, 'spec');
  const lost = (needs: (spec: JsonObject) => boolean): boolean => needs(before) && !needs(spec);
  const dropSame = (...names: string[]): void => {
    if (names.every((name) => jsonEqual(spec[name], before[name]))) for (const name of names) delete spec[name];
  };
  if (lost(hasAddress)) {
    dropSame('clusterIP', 'clusterIPs');
    dropSame('ipFamilies', 'ipFamilyPolicy');
    dropSame('internalTrafficPolicy');
  }
  if (lost(isExternal)) {
    dropSame('externalTrafficPolicy');
    if (jsonEqual(nodePortsOf(spec), nodePortsOf(before)))
      for (const port of getArray(spec, 'ports')) if (isObject(port)) delete port['nodePort'];
  }
  if (lost(isBalanced)) {
    dropSame('allocateLoadBalancerNodePorts');
    dropSame('loadBalancerClass');
    dropSame('healthCheckNodePort');
  }
}

function hasAddress(spec: JsonObject): boolean {
  return spec['type'] !== 'ExternalName';
}

function isExternal(spec: JsonObject): boolean {
  return spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer';
}

function isBalanced(spec: JsonObject): boolean {
  return spec['type'] === 'LoadBalancer';
}

function nodePortsOf(spec: JsonObject): unknown[] {
  return getArray(spec, 'ports').map((port) => (isObject(port) ? (port['nodePort'] ?? 0) : 0));
}
