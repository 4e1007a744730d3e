import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { child, childOrNew, children, fill } from './fill.ts';

/** `stringData` is written into `data`, base64, and never stored. */
export function defaultSecret(object: JsonObject): void {
  fill(object, { type: 'Opaque' });
  const texts = object['stringData'];
  delete object['stringData'];
  if (!isObject(texts)) return;
  const data = childOrNew(object, 'data');
  for (const [key, text] of Object.entries(texts)) {
    data[key] = Buffer.from(typeof text === 'string' ? text : '').toString('base64');
  }
}

export function defaultClaim(object: JsonObject): void {
  fill(childOrNew(object, 'spec'), { volumeMode: 'Filesystem' });
  fill(childOrNew(object, 'status'), { phase: 'Pending' });
}

export function defaultVolume(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  fill(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
  const hostPath = child(spec, 'hostPath');
  if (hostPath !== undefined) fill(hostPath, { type: '' });
  fill(childOrNew(object, 'status'), { phase: 'Pending' });
}

export function defaultStorageClass(object: JsonObject): void {
  fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });
}

const rbacGroup = 'rbac.authorization.k8s.io';

export function defaultBinding(object: JsonObject): void {
  const roleRef = child(object, 'roleRef');
  if (roleRef !== undefined && (roleRef['apiGroup'] ?? '') === '') roleRef['apiGroup'] = rbacGroup;
  for (const subject of children(object, 'subjects')) {
    if ((subject['apiGroup'] ?? '') !== '') continue;
    if (subject['kind'] === 'User' || subject['kind'] === 'Group') subject['apiGroup'] = rbacGroup;
  }
}

export function defaultNamespace(object: JsonObject): void {
  fill(childOrNew(object, 'status'), { phase: 'Active' });
}

export function defaultPriorityClass(object: JsonObject): void {
  fill(object, { preemptionPolicy: 'PreemptLowerPriority' });
}

export function defaultDefinition(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  const names = childOrNew(spec, 'names');
  const kind = typeof names['kind'] === 'string' ? names['kind'] : '';
  fill(names, { singular: kind.toLowerCase(), ...(kind === '' ? {} : { listKind: `${kind}List` }) });
  fill(childOrNew(spec, 'conversion'), { strategy: 'None' });
  const status = childOrNew(object, 'status');
  const versions = children(spec, 'versions');
  const storage = versions.find((version) => version['storage'] === true)?.['name'];
  const stored = Array.isArray(status['storedVersions']) ? status['storedVersions'] : [];
  if (stored.length === 0 && storage !== undefined) status['storedVersions'] = [storage];
}

export function defaultCsiDriver(object: JsonObject): void {
  fill(childOrNew(object, 'spec'), {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: 'ReadWriteOnceWithFSType',
    volumeLifecycleModes: ['Persistent'],
    requiresRepublish: false,
    seLinuxMount: false,
  });
}

export function defaultLimitRange(object: JsonObject): void {
  for (const item of children(child(object, 'spec'), 'limits')) {
    if (item['type'] !== 'Container') continue;
    const defaults = { ...child(item, 'max'), ...child(item, 'default') };
    if (Object.keys(defaults).length > 0) item['default'] = defaults;
    const requests = { ...child(item, 'min'), ...defaults, ...child(item, 'defaultRequest') };
    if (Object.keys(requests).length > 0) item['defaultRequest'] = requests;
  }
}

export function defaultFlowSchema(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  if ((spec['matchingPrecedence'] ?? 0) === 0) spec['matchingPrecedence'] = 1000;
}

export function defaultPriorityLevel(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  const exempt = child(spec, 'exempt');
  if (exempt !== undefined) fill(exempt, { nominalConcurrencyShares: 0, lendablePercent: 0 });
  const limited = child(spec, 'limited');
  if (limited === undefined) return;
  if (limited['nominalConcurrencyShares'] === null) delete limited['nominalConcurrencyShares'];
  fill(limited, { nominalConcurrencyShares: 30, lendablePercent: 0 });
  const queuing = child(child(limited, 'limitResponse'), 'queuing');
  if (queuing === undefined) return;
  for (const [name, value] of Object.entries({ queues: 64, handSize: 8, queueLengthLimit: 50 }))
    if ((queuing[name] ?? 0) === 0) queuing[name] = value;
}

function defaultMatchResources(match: JsonObject | undefined): void {
  if (match === undefined) return;
  fill(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} });
  for (const list of ['resourceRules', 'excludeResourceRules'])
    for (const rule of children(match, list)) fill(rule, { scope: '*' });
}

export function defaultAdmissionPolicy(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  fill(spec, { failurePolicy: 'Fail' });
  defaultMatchResources(child(spec, 'matchConstraints'));
}

export function defaultAdmissionPolicyBinding(object: JsonObject): void {
  defaultMatchResources(child(child(object, 'spec'), 'matchResources'));
}
