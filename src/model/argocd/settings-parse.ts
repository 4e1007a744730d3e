import { z } from 'zod';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { getString, isObject } from '#base/json.ts';
import { parseCustomizations } from './customizations.ts';
import {
  type ArgoSettings,
  type CompareSettings,
  defaultSettings,
  type RenderSettings,
  type ResourceFilter,
  type Tracking,
} from './settings.ts';
import { SettingsSource } from './settings-source.ts';

type Data = Readonly<Record<string, string>>;

const defaults = defaultSettings;

function trackingOf(source: SettingsSource): Tracking {
  const method = source.read('application.resourceTrackingMethod', defaults.tracking.method, (text) => {
    const value = text.trim();
    if (value === 'annotation' || value === 'label' || value === 'annotation+label') return value;
    throw new Error(`"${value}" is none of annotation, label, annotation+label`);
  });
  const labelKey = source.text('application.instanceLabelKey', defaults.tracking.labelKey);
  return { method, labelKey, installationId: source.text('installationID', '') || undefined };
}

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const filters = z
  .array(z.object({ apiGroups: strings, kinds: strings, clusters: strings }))
  .nullish()
  .transform((list) => list ?? []);

function filtersOf(source: SettingsSource, key: string): ResourceFilter[] {
  return source.yaml(key, [], (value) => {
    const parsed = filters.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  });
}

function compareOf(source: SettingsSource): CompareSettings {
  const key = 'resource.compareoptions';
  const options = source.yaml<unknown>(key, undefined, (value) => {
    if (!isObject(value)) throw new Error('is not a mapping');
    return value;
  });
  const field = isObject(options) ? options['ignoreResourceStatusField'] : undefined;
  const known: Record<string, CompareSettings['ignoreStatus']> = {
    all: 'all',
    crd: 'crd',
    none: 'none',
    off: 'none',
    false: 'none',
  };
  const ignoreStatus = field === undefined || field === null || field === '' ? 'all' : known[String(field)];
  if (ignoreStatus === undefined)
    source.problem(key, `ignoreResourceStatusField "${String(field)}" is none of all, crd, none`);
  return {
    ignoreStatus: ignoreStatus ?? 'all',
    ignoreAggregatedRoles: isObject(options) && options['ignoreAggregatedRoles'] === true,
    ignoreResourceUpdates: source.flag('resource.ignoreResourceUpdatesEnabled', true),
    sensitiveAnnotations: source.list('resource.sensitive.mask.annotations', []),
  };
}

/** `10M` is ten million bytes and `10Mi` its binary sister, as Kubernetes writes quantities. */
function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text.trim());
  const units: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
  if (!match) throw new Error(`"${text}" is not a size like 10M`);
  return Number(match[1]) * (match[2] === undefined ? 1 : (units[match[2]] ?? 2 ** 40));
}

/** A source type is off only when its key is there and says anything but true. */
function enabled(source: SettingsSource, key: string): boolean {
  const text = source.data[key];
  return text === undefined || text === '' || text === 'true';
}

function renderOf(source: SettingsSource, params: SettingsSource): RenderSettings {
  const versions = new Map<string, { path: string | undefined; buildOptions: string | undefined }>();
  for (const [key, value] of Object.entries(source.data)) {
    const match = /^kustomize\.(path|version|buildOptions)\.(.+)$/.exec(key);
    if (!match) continue;
    const [, what, version = ''] = match;
    const entry = versions.get(version) ?? { path: undefined, buildOptions: undefined };
    if (what === 'buildOptions') versions.set(version, { ...entry, buildOptions: value });
    else if (entry.path !== undefined) source.problem(key, `kustomize version ${version} is declared twice`);
    else versions.set(version, { ...entry, path: value });
  }
  const schemes = source.data['helm.valuesFileSchemes'];
  return {
    helm: {
      enabled: enabled(source, 'helm.enable'),
      // Present and empty permits none.
      valuesFileSchemes:
        schemes?.trim() === '' ? [] : source.list('helm.valuesFileSchemes', defaults.render.helm.valuesFileSchemes),
    },
    kustomize: {
      enabled: enabled(source, 'kustomize.enable'),
      buildOptions: source.text('kustomize.buildOptions', ''),
      versions,
    },
    jsonnet: { enabled: enabled(source, 'jsonnet.enable') },
    maxDirectoryBytes: params.read(
      'reposerver.max.combined.directory.manifests.size',
      defaults.render.maxDirectoryBytes,
      bytesOf,
    ),
  };
}

function globalProjectsOf(source: SettingsSource): ArgoSettings['globalProjects'] {
  return source.yaml<ArgoSettings['globalProjects']>('globalProjects', [], (value) => {
    if (!Array.isArray(value)) throw new Error('is not a list');
    return value.flatMap((entry: unknown) => {
      const projectName = getString(entry, 'projectName');
      if (projectName === undefined) throw new Error('an entry has no projectName');
      return { projectName, labelSelector: isObject(entry) ? entry['labelSelector'] : undefined };
    });
  });
}

function applicationSetsOf(params: SettingsSource): ArgoSettings['applicationSets'] {
  const { applicationSets: none } = defaults;
  const key = (name: string) => `applicationsetcontroller.${name}`;
  const policy = params.read(key('policy'), none.policy, (text) => {
    const value = text.trim();
    if (value === 'sync' || value === 'create-only' || value === 'create-update' || value === 'create-delete')
      return value;
    throw new Error(`"${value}" is none of sync, create-only, create-update, create-delete`);
  });
  return {
    namespaces: params.list(key('namespaces'), none.namespaces),
    policy,
    // A policy of the instance holds for all unless said otherwise.
    policyOverride: params.flag(key('enable.policy.override'), policy === ''),
    progressiveSyncs: params.flag(key('enable.progressive.syncs'), none.progressiveSyncs),
    scmProviders: params.flag(key('enable.scm.providers'), none.scmProviders),
    allowedScmProviders: params.list(key('allowed.scm.providers'), none.allowedScmProviders),
    newGitFileGlobbing: params.flag(key('enable.new.git.file.globbing'), none.newGitFileGlobbing),
    preservedAnnotations: params.list(key('global.preserved.annotations'), none.preservedAnnotations),
    preservedLabels: params.list(key('global.preserved.labels'), none.preservedLabels),
  };
}

function selfHealOf(params: SettingsSource): ArgoSettings['selfHeal'] {
  const { selfHeal } = defaults;
  const key = (name: string) => `controller.self.heal.${name}`;
  return {
    fixedMs: params.seconds(key('timeout.seconds'), selfHeal.fixedMs),
    baseMs: params.seconds(key('backoff.timeout.seconds'), selfHeal.baseMs),
    factor: params.number(key('backoff.factor'), selfHeal.factor),
    capMs: params.seconds(key('backoff.cap.seconds'), selfHeal.capMs),
  };
}

/** Reads `argocd-cm` and `argocd-cmd-params-cm`. Never throws: what cannot be read is listed in `problems`. */
export function parseSettings(data: Data, params: Data): ArgoSettings {
  const problems: string[] = [];
  const source = new SettingsSource('argocd-cm', data, problems);
  const flags = new SettingsSource('argocd-cmd-params-cm', params, problems);
  const { timeouts, sync } = defaults;
  return {
    id: sha256Hex(canonicalJson([data, params])),
    tracking: trackingOf(source),
    customizations: parseCustomizations(source),
    exclusions: filtersOf(source, 'resource.exclusions'),
    inclusions: filtersOf(source, 'resource.inclusions'),
    compare: compareOf(source),
    render: renderOf(source, flags),
    timeouts: {
      reconcileMs: source.durationMs('timeout.reconciliation', timeouts.reconcileMs),
      jitterMs: source.durationMs('timeout.reconciliation.jitter', timeouts.jitterMs),
      hardReconcileMs: source.durationMs('timeout.hard.reconciliation', timeouts.hardReconcileMs),
    },
    sync: {
      timeoutMs: flags.seconds('controller.sync.timeout.seconds', sync.timeoutMs),
      waveDelayMs: flags.seconds('controller.sync.wave.delay.seconds', sync.waveDelayMs),
      impersonation: source.data['application.sync.impersonation.enabled'] === 'true',
      impersonationEnforced: source.data['application.sync.impersonation.enforced'] !== 'false',
    },
    selfHeal: selfHealOf(flags),
    repositoryGraceMs: flags.seconds('controller.repo.error.grace.period.seconds', defaults.repositoryGraceMs),
    inClusterEnabled: source.data['cluster.inClusterEnabled'] !== 'false',
    applicationNamespaces: flags.list('application.namespaces', []),
    globalProjects: globalProjectsOf(source),
    applicationSets: applicationSetsOf(flags),
    data,
    params,
    problems,
  };
}
