import { getObject, getPath, getString, jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health, severity } from './health.ts';

/**
 * argoproj.io/Application: the child's own health, so that sync waves wait between the children of an App of Apps. While
 * the child's status was computed for another source or destination than its spec names, it is Progressing: the old
 * health says nothing about the new spec.
 */
export function applicationHealth(object: KubeObject): Health {
  const comparedTo = getPath(object, 'status', 'sync', 'comparedTo');
  if (comparedTo === undefined) return health('Progressing', 'Waiting for the application to be compared');
  const current =
    jsonEqual(getPath(object, 'spec', 'source'), getPath(comparedTo, 'source')) &&
    jsonEqual(getPath(object, 'spec', 'sources'), getPath(comparedTo, 'sources')) &&
    jsonEqual(getObject(object, 'spec', 'destination'), getObject(comparedTo, 'destination'));
  if (!current) return health('Progressing', 'Waiting for the changed application to be compared');
  const text = getString(object, 'status', 'health', 'status');
  const status = severity.find((candidate) => candidate === text);
  return health(status ?? 'Unknown', getString(object, 'status', 'health', 'message'));
}
