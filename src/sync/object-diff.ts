import type { KubeObject } from '#kube/port.ts';
import type { Application, IgnoreDifference } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { trackingMetadata } from './identity.ts';
import { ignoreRulesFor } from './ignore-differences.ts';
import { diffLocally, type LocalDiff } from './local-diff.ts';
import { alignTracking } from './normalize.ts';
import type { TypeKnowledge } from './type-knowledge.ts';

export interface ObjectDiffInput {
  /** Undefined when Git does not want it. */
  desired: KubeObject | undefined;
  /** Undefined when it is not there. */
  live: KubeObject | undefined;
  application: Application | undefined;
  settings: ArgoSettings;
  types: TypeKnowledge;
  /** Server-side apply, whatever the options of the application and the object say. */
  serverSide?: boolean | undefined;
}

export interface ObjectDiff {
  modified: boolean;
  requiresPruning: boolean;
  live: KubeObject | undefined;
  predicted: KubeObject | undefined;
}

/**
 * One desired object against one live object, without a server, as an application would compare them. An object that is
 * missing is modified; one that is not desired is not, but would be pruned.
 */
export function diffObject(input: ObjectDiffInput): ObjectDiff {
  const { desired, live } = input;
  if (!desired || !live) {
    const modified = desired !== undefined;
    return { modified, requiresPruning: !modified && live !== undefined, live, predicted: desired };
  }
  const { modified, ...forms } = compareBoth(input, desired, live);
  return { modified, requiresPruning: false, ...forms };
}

function compareBoth(input: ObjectDiffInput, desired: KubeObject, live: KubeObject): LocalDiff {
  const { application, settings, types } = input;
  const marked = withTracking(input, placed(desired, live), live);
  const [base, wanted] = alignTracking(live, marked, { desired: marked, tracking: settings.tracking });
  const ignore: IgnoreDifference[] = application?.spec.ignoreDifferences ?? [];
  const rules = ignoreRulesFor(base, ignore, settings);
  return diffLocally({ desired: wanted, live: base, types, rules, settings, serverSide: isServerSide(input, desired) });
}

function isServerSide({ serverSide, application }: ObjectDiffInput, desired: KubeObject): boolean {
  if (serverSide !== undefined) return serverSide;
  const app = application?.spec.syncPolicy?.syncOptions ?? [];
  const own = desired.metadata.annotations?.[annotations.syncOptions] ?? '';
  const said = own.split(',').map((text) => text.trim());
  if (said.includes('ServerSideApply=false')) return false;
  return said.includes('ServerSideApply=true') || app.includes('ServerSideApply=true');
}

/** A manifest without a namespace goes to where the live object is. */
function placed(desired: KubeObject, live: KubeObject): KubeObject {
  const { namespace } = live.metadata;
  if (namespace === undefined || desired.metadata.namespace) return desired;
  return { ...desired, metadata: { ...desired.metadata, namespace } };
}

/** With the application's mark; without an application, with the one that is live. */
function withTracking({ application, settings }: ObjectDiffInput, desired: KubeObject, live: KubeObject): KubeObject {
  const { labels, annotations: notes } = application
    ? trackingMetadata(desired, {
        instance: application.metadata.name,
        destinationNamespace: application.spec.destination.namespace ?? '',
        tracking: settings.tracking,
      })
    : liveMark(live);
  const metadata = { ...desired.metadata };
  if (Object.keys(labels).length > 0) metadata.labels = { ...metadata.labels, ...labels };
  if (Object.keys(notes).length > 0) metadata.annotations = { ...metadata.annotations, ...notes };
  return { ...desired, metadata };
}

function liveMark(live: KubeObject): { labels: Record<string, string>; annotations: Record<string, string> } {
  const notes: Record<string, string> = {};
  for (const key of [annotations.trackingId, annotations.installationId]) {
    const value = live.metadata.annotations?.[key];
    if (value !== undefined) notes[key] = value;
  }
  return { labels: {}, annotations: notes };
}
