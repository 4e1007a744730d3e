import type { KubeObject } from '#kube/port.ts';

/** What is delivered: `apps` folders of one repository with `objects` manifests each, for a tenth as many namespaces. */
export interface Workload {
  apps: number;
  objects: number;
  /** Names everything, so that a run finds nothing of an earlier one. */
  seed: string;
  /** The namespace of the Application objects. */
  instance: string;
}

export interface Place {
  name: string;
  folder: string;
  namespace: string;
}

export function placeAt(workload: Workload, index: number): Place {
  const name = `${workload.seed}-${String(index).padStart(5, '0')}`;
  return { name, folder: `apps/${name}`, namespace: namespacesOf(workload)[Math.floor(index / 10)] ?? '' };
}

export function namespacesOf({ apps, seed }: Workload): string[] {
  return Array.from({ length: Math.ceil(apps / 10) }, (_, index) => `${seed}-ns-${String(index).padStart(4, '0')}`);
}

/** The manifests of one application: ServiceAccount, Service, Deployment without pods, Ingress; ConfigMaps beyond four. */
export function manifestsOf(workload: Workload, index: number, edition: number): KubeObject[] {
  const { name, namespace } = placeAt(workload, index);
  const labels = { 'app.kubernetes.io/name': name };
  const metadata = { name, namespace, labels };
  const all: KubeObject[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, annotations: { edition: String(edition) } },
      spec: { selector: labels, ports: [{ name: 'http', port: 9898, targetPort: 'http' }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            containers: [
              {
                name: 'web',
                image: 'example.com/web:1.0.0',
                ports: [{ name: 'http', containerPort: 9898 }],
                env: [{ name: 'UI_COLOR', value: '#34577c' }],
                resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
                readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata,
      spec: {
        rules: [
          {
            host: `${name}.example.com`,
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { name: 'http' } } } }],
            },
          },
        ],
      },
    },
  ];
  for (let extra = all.length; extra < workload.objects; extra += 1)
    all.push({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: `${name}-${extra}` },
      data: { 'application.yaml': `index: ${extra}\nname: ${name}\nlevel: info\n` },
    });
  return all.slice(0, workload.objects);
}

/** The files of one application's folder, JSON being YAML. */
export function filesOf(workload: Workload, index: number, edition = 1): [path: string, content: string][] {
  const { folder } = placeAt(workload, index);
  return manifestsOf(workload, index, edition).map((object, at) => [
    `${folder}/${String(at).padStart(3, '0')}-${object.kind.toLowerCase()}.yaml`,
    `${JSON.stringify(object, undefined, 2)}\n`,
  ]);
}

export function applicationAt(workload: Workload, index: number, repo: { url: string; branch: string }): KubeObject {
  const { name, folder, namespace } = placeAt(workload, index);
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: workload.instance },
    spec: {
      project: 'default',
      source: { repoURL: repo.url, path: folder, targetRevision: repo.branch },
      destination: { server: 'https://kubernetes.default.svc', namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}
