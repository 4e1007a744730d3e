/** Sync options as Argo CD reads them: exact, case-sensitive `Key=value` texts on the application and on resources. */
export interface SyncOptions {
  prune: 'true' | 'false' | 'confirm';
  delete: 'true' | 'false' | 'confirm';
  skipDryRunOnMissingResource: boolean;
  applyOutOfSyncOnly: boolean;
  prunePropagationPolicy: 'Foreground' | 'Background' | 'Orphan';
  pruneLast: boolean;
  replace: boolean;
  force: boolean;
  failOnSharedResource: boolean;
  respectIgnoreDifferences: boolean;
  createNamespace: boolean;
  /** False: fields that the kind's schema does not know are dropped instead of refused. */
  validate: boolean;
  clientSideApplyMigration: boolean;
}

function triState(options: ReadonlySet<string>, key: string): 'true' | 'false' | 'confirm' | undefined {
  if (options.has(`${key}=false`)) return 'false';
  if (options.has(`${key}=confirm`)) return 'confirm';
  return options.has(`${key}=true`) ? 'true' : undefined;
}

function propagation(options: ReadonlySet<string>): SyncOptions['prunePropagationPolicy'] {
  if (options.has('PrunePropagationPolicy=background')) return 'Background';
  return options.has('PrunePropagationPolicy=orphan') ? 'Orphan' : 'Foreground';
}

/** The options in force for a resource: those of the application with the resource's own `sync-options` over them. */
export function parseSyncOptions(application: readonly string[], resource: string | undefined): SyncOptions {
  const app = new Set(application.map((option) => option.trim()));
  const own = new Set((resource ?? '').split(',').map((option) => option.trim()));
  const either = (option: string) => app.has(option) || own.has(option);
  return {
    prune: triState(own, 'Prune') ?? triState(app, 'Prune') ?? 'true',
    delete: triState(own, 'Delete') ?? triState(app, 'Delete') ?? 'true',
    skipDryRunOnMissingResource: either('SkipDryRunOnMissingResource=true'),
    applyOutOfSyncOnly: app.has('ApplyOutOfSyncOnly=true'),
    prunePropagationPolicy: propagation(app),
    pruneLast: either('PruneLast=true'),
    replace: either('Replace=true'),
    force: own.has('Force=true'),
    failOnSharedResource: app.has('FailOnSharedResource=true'),
    respectIgnoreDifferences: app.has('RespectIgnoreDifferences=true'),
    createNamespace: app.has('CreateNamespace=true'),
    validate: !either('Validate=false'),
    clientSideApplyMigration: !app.has('ClientSideApplyMigration=false'),
  };
}
