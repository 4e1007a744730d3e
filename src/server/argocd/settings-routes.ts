import { Hono } from 'hono';
import { load } from 'js-yaml';
import type { InstanceStore } from '#apps/port.ts';
import { messageOf } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { parseOidcSettings } from '../access/oidc.ts';
import type { ServerEnv } from '../auth.ts';

type Data = Readonly<Record<string, string>>;

export interface SettingsDeps {
  instance: InstanceStore;
  logger: Logger;
}

const isOn = (data: Data, key: string) => /^true$/i.test(data[key] ?? '');

/** What anybody may know of the instance: how to log in and what to show. */
function publicSettings({ instance, logger }: SettingsDeps): JsonObject {
  const data = instance.config('argocd-cm');
  let oidcConfig: JsonObject | undefined;
  try {
    const oidc = parseOidcSettings(instance);
    oidcConfig = oidc && {
      name: oidc.name,
      issuer: oidc.issuer,
      clientID: oidc.clientId,
      ...(oidc.cliClientId ? { cliClientID: oidc.cliClientId } : {}),
      scopes: oidc.scopes,
      enablePKCEAuthentication: oidc.pkce,
    };
  } catch (error) {
    logger.warn({}, `single sign-on is not in force: ${messageOf(error)}`);
  }
  const loginsDisabled = !canAnybodyLogIn(data);
  return {
    url: data['url'] ?? '',
    statusBadgeEnabled: isOn(data, 'statusbadge.enabled'),
    statusBadgeRootUrl: data['statusbadge.url'] ?? '',
    googleAnalytics: {
      ...(data['ga.trackingid'] ? { trackingID: data['ga.trackingid'] } : {}),
      anonymizeUsers: data['ga.anonymizeusers'] !== 'false',
    },
    help: {
      chatUrl: data['help.chatUrl'] ?? '',
      chatText: data['help.chatText'] ?? '',
      binaryUrls: null,
    },
    userLoginsDisabled: loginsDisabled,
    passwordPattern: data['passwordPattern'] ?? '',
    uiCssURL: data['ui.cssurl'] ?? '',
    uiBannerContent: data['ui.bannercontent'] ?? '',
    uiBannerURL: data['ui.bannerurl'] ?? '',
    uiBannerPermanent: isOn(data, 'ui.bannerpermanent'),
    uiBannerPosition: data['ui.bannerposition'] ?? '',
    uiLoginButtonText: data['ui.loginButtonText'] ?? '',
    execEnabled: false,
    ...(oidcConfig ? { oidcConfig } : {}),
  };
}

function canAnybodyLogIn(data: Data): boolean {
  if (data['admin.enabled'] === undefined || /^true$/i.test(data['admin.enabled'])) return true;
  return Object.entries(data).some(
    ([key, value]) => /^accounts\.[^.]+$/.test(key) && value.split(',').some((word) => word.trim() === 'login'),
  );
}

/** Settings that only those see who are known. */
function knownSettings({ instance }: SettingsDeps): JsonObject {
  const data = instance.config('argocd-cm');
  const params = instance.config('argocd-cmd-params-cm');
  const versions = Object.keys(data).filter((key) => key.startsWith('kustomize.path.'));
  const buildOptions = data['kustomize.buildOptions'];
  return {
    appLabelKey: data['application.instanceLabelKey'] ?? 'app.kubernetes.io/instance',
    trackingMethod: data['application.resourceTrackingMethod'] || 'annotation',
    installationID: data['installationID'] ?? '',
    resourceOverrides: resourceOverrides(data),
    kustomizeOptions: buildOptions ? { buildOptions } : {},
    kustomizeVersions: versions.map((key) => key.slice('kustomize.path.'.length)),
    controllerNamespace: instance.namespace,
    appsInAnyNamespaceEnabled: (params['application.namespaces'] ?? '') !== '',
    impersonationEnabled: isOn(data, 'application.sync.impersonation.enabled'),
    hydratorEnabled: false,
    syncWithReplaceAllowed: !/^false$/i.test(params['server.sync.replace.allowed'] ?? ''),
    resourceViewEnabled: false,
  };
}

/** The customisations of kinds, by `group/Kind` as Argo CD's page reads them. */
function resourceOverrides(data: Data): JsonObject {
  const out: Record<string, JsonObject> = {};
  try {
    const whole: unknown = load(data['resource.customizations'] ?? '');
    if (isObject(whole)) for (const [key, value] of Object.entries(whole)) if (isObject(value)) out[key] = camel(value);
  } catch {
    // What cannot be read is not in force either, which the log of the settings says.
  }
  for (const [key, text] of Object.entries(data)) {
    const match = /^resource\.customizations\.(health|actions|useOpenLibs)\.(.+)$/.exec(key);
    if (!match) continue;
    const [, what = '', of = ''] = match;
    const kind = of.replace('_', '/');
    const field = what === 'health' ? 'healthLua' : what;
    out[kind] = { ...out[kind], [field]: what === 'useOpenLibs' ? text === 'true' : text };
  }
  return out;
}

function camel(value: JsonObject): JsonObject {
  const names: Record<string, string> = { 'health.lua': 'healthLua', 'health.lua.useOpenLibs': 'useOpenLibs' };
  const shown = ['healthLua', 'useOpenLibs', 'actions'];
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [names[key] ?? key, member] as const)
      .filter(([key]) => shown.includes(key)),
  );
}

export function settingsRoutes(deps: SettingsDeps): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  app.get('/settings', (c) => {
    const { subject, kind } = c.get('principal');
    const known = subject !== '' || kind !== 'anonymous';
    return c.json({ ...publicSettings(deps), ...(known ? knownSettings(deps) : {}) });
  });
  return app;
}
