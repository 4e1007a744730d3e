/** What the load writes: ConfigMaps of 1 KB and Deployments of 2 KB. `{n}` is the number of the request. */

export function configMap(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { app: 'bench', slot: '{n}' } },
    data: { at: '{now}', text: 'x'.repeat(850) },
  });
}

/** Watchers of the load stop at this. */
export const endOfWatch = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'end' },
  data: { at: '0' },
});

export const mergePatch = JSON.stringify({ data: { at: '{now}' } });

function container(name: string) {
  return {
    name,
    image: `registry.example.com/team/${name}:1.2.3`,
    ports: [{ name: 'http', containerPort: 8080 }],
    env: Array.from({ length: 10 }, (_, n) => ({ name: `SETTING_${n}`, value: `some value of setting ${n}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 } },
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  };
}

export function deployment(name: string): string {
  return JSON.stringify(deploymentOf(name));
}

function deploymentOf(name: string) {
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'bench' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels, annotations: { 'example.com/note': 'n'.repeat(300) } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      template: {
        metadata: { labels },
        spec: {
          containers: [container('web'), container('side')],
          volumes: [{ name: 'config', configMap: { name: 'settings' } }],
        },
      },
    },
  };
}

export function applyBody(name: string): string {
  return JSON.stringify(deploymentOf(name));
}
