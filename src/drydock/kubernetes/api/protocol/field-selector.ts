import { getPath } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import type { ServedResource } from '../served.ts';
import { storedPath } from '../write/conversion.ts';
import { badRequest } from './status-error.ts';

export interface FieldRequirement {
  path: string;
  equal: boolean;
  value: string;
}

const everywhere = ['metadata.name', 'metadata.namespace'];

/** Fields beyond name and namespace, for the kinds that have any. */
const selectable: Record<string, string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  events: eventFields('involvedObject'),
  'events.events.k8s.io': eventFields('regarding'),
  replicationcontrollers: ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

function eventFields(about: string): string[] {
  const members = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
  return [
    ...members.map((member) => `${about}.${member}`),
    'reason',
    'reportingComponent',
    'reportingController',
    'source',
    'type',
  ];
}

/** Parses `a=b,c!=d`; throws ApiError 400 for a field that this kind cannot be selected by. */
export function parseFieldSelector(resource: ServedResource, text: string): FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^([^=!]+)(!=|==|=)(.*)$/s.exec(term);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, path = '', operator, value = ''] = match;
      requireSelectable(resource, path);
      return { path: storedPath(resource, path), equal: operator !== '!=', value: value.replace(/\\([\\,=])/g, '$1') };
    });
}

export function matchesFields(requirements: FieldRequirement[], object: ApiObject): boolean {
  return requirements.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}

function requireSelectable(resource: ServedResource, path: string): void {
  if (everywhere.includes(path)) return;
  const known = resource.custom
    ? resource.custom.selectableFields.map((field) => field.replace(/^\./, ''))
    : selectable[resource.groupResource];
  if (known?.includes(path)) return;
  if (resource.groupResource === 'jobs.batch')
    throw badRequest(`field label "${path}" not supported for ${resource.kind}`);
  if (known === undefined)
    throw badRequest(`"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  throw badRequest(`field label not supported: ${path}`);
}

function fieldText(object: ApiObject, path: string): string {
  if (path === 'source') return text(getPath(object, 'source', 'component') ?? getPath(object, 'reportingComponent'));
  if (path === 'status.successful') return text(getPath(object, 'status', 'succeeded') ?? 0);
  const value = getPath(object, ...path.split('.'));
  if (value === undefined && (path === 'spec.unschedulable' || path === 'spec.hostNetwork')) return 'false';
  return text(value);
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

function splitTerms(text: string): string[] {
  // A comma or backslash inside a value is written with a backslash in front.
  return text.match(/(?:\\.|[^,\\])+/gs) ?? [];
}
