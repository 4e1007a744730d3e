/** Keys of `argocd-cm` that something here reads. */
const settingKeys = [
  /^application\.(resourceTrackingMethod|instanceLabelKey)$/,
  /^application\.sync\.(impersonation\.(enabled|enforced)|requireOverridePrivilegeForRevisionSync)$/,
  /^(application|resource|project)\.links$/,
  /^installationID$/,
  /^resource\.customizations(\..+)?$/,
  /^resource\.(exclusions|inclusions|compareoptions|ignoreResourceUpdatesEnabled|sensitive\.mask\.annotations)$/,
  /^kustomize\.(enable|buildOptions(\..+)?|(path|version)\..+)$/,
  /^helm\.(enable|valuesFileSchemes)$/,
  /^jsonnet\.enable$/,
  /^timeout\.(reconciliation(\.jitter)?|hard\.reconciliation)$/,
  /^(globalProjects|cluster\.inClusterEnabled)$/,
  /^(url|accounts\..+|admin\.enabled|oidc\.config|users\.(anonymous\.enabled|session\.duration))$/,
  /^server\.(rbac\.(disableApplicationFineGrainedRBACInheritance|rollback\.enforce\.enable)|maxPodLogsToRender)$/,
  /^webhook\.maxPayloadSizeMB$/,
  /^(statusbadge|ui|ga|help)\..+$/,
];

/** Keys of `argocd-cmd-params-cm` that something here reads. */
const parameterKeys = [
  /^application\.namespaces$/,
  /^controller\.(sync\.(timeout|wave\.delay)\.seconds|repo\.error\.grace\.period\.seconds)$/,
  /^controller\.self\.heal\.(timeout\.seconds|backoff\.(timeout\.seconds|factor|cap\.seconds))$/,
  /^reposerver\.(max\.combined\.directory\.manifests\.size|include\.hidden\.directories)$/,
  /^applicationsetcontroller\.(namespaces|policy|allowed\.scm\.providers)$/,
  /^applicationsetcontroller\.enable\.(policy\.override|progressive\.syncs|scm\.providers|new\.git\.file\.globbing)$/,
  /^applicationsetcontroller\.(dryrun|requeue\.after|status\.max\.resources\.count)$/,
  /^applicationsetcontroller\.(enable\.tokenref\.strict\.mode|global\.preserved\.(annotations|labels))$/,
  /^server\.(api\.content\.types|sync\.replace\.allowed)$/,
];

/** Keys that change nothing here, one text each: those of parts that are not there, and misspelled ones. */
export function keysWithoutEffect(
  data: Readonly<Record<string, string>>,
  params: Readonly<Record<string, string>>,
): string[] {
  const unread = (name: string, texts: Readonly<Record<string, string>>, known: readonly RegExp[]) =>
    Object.keys(texts)
      .filter((key) => !known.some((pattern) => pattern.test(key)))
      .map((key) => `${name}: ${key}`);
  return [...unread('argocd-cm', data, settingKeys), ...unread('argocd-cmd-params-cm', params, parameterKeys)].sort();
}
