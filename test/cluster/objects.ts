import type { KubeObject } from '#kube/port.ts';
import { unschedulable } from './kubelet.ts';

type Notes = Record<string, string>;

const argo = (notes: Notes): Notes =>
  Object.fromEntries(Object.entries(notes).map(([key, value]) => [`argocd.argoproj.io/${key}`, value]));

/** A ConfigMap; `notes` are annotations of Argo CD without their prefix. */
export function configMap(name: string, data: Record<string, string> = {}, notes: Notes = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations: argo(notes) }, data };
}

/** A Job whose pod no node takes. */
export function job(name: string, notes: Notes = {}): KubeObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, annotations: argo(notes) },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { labels: { work: name } },
        spec: {
          restartPolicy: 'Never',
          nodeSelector: unschedulable,
          containers: [{ name: 'main', image: 'example.com/job:1' }],
        },
      },
    },
  };
}

/** A Deployment whose pods no node takes. */
export function deployment(name: string, replicas: number, notes: Notes = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, annotations: argo(notes) },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { nodeSelector: unschedulable, containers: [{ name: 'main', image: 'example.com/web:1' }] },
      },
    },
  };
}

export function service(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'http' }] },
  };
}

/** A CustomResourceDefinition of a group that only this case has. */
export function customKind(group: string, kind: string): KubeObject {
  const plural = `${kind.toLowerCase()}s`;
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } },
        },
      ],
    },
  };
}
