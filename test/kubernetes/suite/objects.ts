import type { JsonObject } from '#base/json.ts';

/** The plainest valid objects; cases change what they are about. */

export function configMap(name: string, data: Record<string, string> = {}, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function secret(name: string, more: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...more };
}

export function pod(name: string, spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    // A scheduler that nobody plays: no node takes it from the case.
    spec: { schedulerName: 'suite', containers: [{ name: 'main', image: 'example.com/app:1' }], ...spec },
  };
}

export function template(labels: Record<string, string>, spec: JsonObject = {}): JsonObject {
  return {
    metadata: { labels },
    spec: { schedulerName: 'suite', containers: [{ name: 'main', image: 'example.com/app:1' }], ...spec },
  };
}

/** Of no replicas, so that nothing runs. */
export function deployment(name: string, spec: JsonObject = {}): JsonObject {
  return workload('Deployment', name, { replicas: 0, ...spec });
}

export function workload(kind: string, name: string, spec: JsonObject = {}): JsonObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: template(labels), ...spec },
  };
}

export function service(name: string, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
  };
}

export function job(name: string, spec: JsonObject = {}): JsonObject {
  const containers = [{ name: 'main', image: 'example.com/job:1' }];
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { schedulerName: 'suite', restartPolicy: 'Never', containers } }, ...spec },
  };
}

export function claim(name: string, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    // The empty class: nobody provisions a volume for it.
    spec: {
      storageClassName: '',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  };
}
