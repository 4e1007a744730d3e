import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import { at, type Catalogue, type Check, generationOf, items, present, textAt } from '../rules.ts';

interface Words {
  initial: string;
  /** Whose change is awaited: "Waiting for X spec update to be observed". */
  subject: string;
  /** What has failed with the reason ReconciliationError. */
  failed: string;
  /** What has failed with another reason, before the reason itself. */
  failedOtherwise: string;
  /** What is said of an Unknown readiness, where that waits. */
  unknown?: string;
  missing: string;
  types?: readonly string[];
}

const said = (condition: unknown, name: string, fallback: string) => textAt(condition, name) ?? fallback;

function notReady(object: KubeObject, condition: unknown, words: Words): Health | undefined {
  const observed = at(condition, 'observedGeneration');
  const generation = generationOf(object);
  if (observed !== undefined && observed !== null && generation !== undefined && observed !== generation)
    return health('Progressing', `Waiting for ${words.subject} spec update to be observed`);
  const reason = said(condition, 'reason', 'Unknown');
  const status = textAt(condition, 'status');
  if (status === 'False') {
    const message = said(condition, 'message', 'Unknown error');
    const text = reason === 'ReconciliationError' ? words.failed : `${words.failedOtherwise} (${reason})`;
    return health('Degraded', `${text}: ${message}`);
  }
  if (status !== 'Unknown' || words.unknown === undefined) return undefined;
  return health('Progressing', `${words.unknown} (${reason}): ${said(condition, 'message', 'Unknown')}`);
}

/** What every kind of the promoter shares: its Ready condition, seen for this generation; then what is its own. */
function ready(words: Words, own: (object: KubeObject) => Health): Check {
  const types = words.types ?? ['Ready'];
  return (object) => {
    if (!present(object, 'status')) return health('Progressing', words.initial);
    const found = items(object, 'status.conditions').filter((c) => types.includes(textAt(c, 'type') ?? ''));
    for (const condition of found) {
      const open = notReady(object, condition, words);
      if (open !== undefined) return open;
    }
    return found.length === 0 ? health('Progressing', words.missing) : own(object);
  };
}

interface Gate {
  kind: string;
  name: string;
  validation: string;
  reconciled: string;
  passed: string;
  failed: string;
}

/** A gate with one verdict per environment. */
function gate({ kind, name, validation, reconciled, passed, failed }: Gate): Check {
  const words: Words = {
    initial: `Initializing ${name}`,
    subject: kind,
    failed,
    failedOtherwise: `${failed.replace(/ failed$/, '')} not ready`,
    unknown: failed.replace(/ failed$/, kind.startsWith('Web') ? ' unknown' : ' status unknown'),
    missing: `${kind} Ready condition is missing`,
  };
  return ready(words, (object) => {
    const environments = items(object, 'status.environments');
    if (environments.length === 0) return health('Healthy', reconciled);
    const phaseOf = (environment: unknown) => textAt(environment, 'phase') ?? 'pending';
    const branches = (wanted: (phase: string) => boolean) =>
      environments.filter((e) => wanted(phaseOf(e))).map((e) => textAt(e, 'branch') ?? '?');
    const failures = branches((phase) => phase === 'failure');
    const pending = branches((phase) => phase !== 'failure' && phase !== 'success');
    if (failures.length > 0) return health('Degraded', `${validation} failed for branch(es): ${failures.join(', ')}`);
    if (pending.length > 0) return health('Progressing', `${validation} pending for branch(es): ${pending.join(', ')}`);
    return health('Healthy', `${passed} for ${environments.length} environment(s)`);
  });
}

function provider(kind: string, name: string): Check {
  return ready(
    {
      initial: `Initializing ${name}`,
      subject: kind,
      failed: `${name[0]?.toUpperCase()}${name.slice(1)} validation failed`,
      failedOtherwise: `${name[0]?.toUpperCase()}${name.slice(1)} not ready`,
      unknown: `${name[0]?.toUpperCase()}${name.slice(1)} readiness unknown`,
      missing: `${kind} Ready condition is missing`,
    },
    () => health('Healthy', `${name[0]?.toUpperCase()}${name.slice(1)} is ready`),
  );
}

function plain(name: string): Words {
  const start = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return {
    initial: `Initializing ${name}`,
    subject: name,
    failed: `${start} reconciliation failed`,
    failedOtherwise: `${start} reconciliation failed`,
    missing: `${start} is not ready yet`,
  };
}

const short = (sha: string | undefined) => (sha ?? '').slice(0, 7);

interface Tally {
  counts: string;
  names: string;
  pending: number;
  failed: number;
}

/** The commit statuses of one side of an environment, counted and named. */
function tally(statuses: readonly unknown[]): Tally {
  const of = (phase: string) => statuses.filter((s) => textAt(s, 'phase') === phase).map((s) => textAt(s, 'key') ?? '');
  const pending = of('pending');
  const failed = of('failure');
  const names =
    (pending.length > 0 ? `Pending commit statuses: ${pending.join(', ')}. ` : '') +
    (failed.length > 0 ? `Failed commit statuses: ${failed.join(', ')}. ` : '');
  const counts = `${pending.length} pending, ${of('success').length} successful, ${failed.length} failed. `;
  return { counts, names, pending: pending.length, failed: failed.length };
}

function transfer(object: KubeObject): Health {
  const active = textAt(object, 'status.active.dry.sha') ?? '';
  const proposed = textAt(object, 'status.proposed.dry.sha') ?? '';
  if (active === '') return health('Progressing', 'The active commit DRY SHA is missing or empty.');
  if (proposed === '') return health('Progressing', 'The proposed commit DRY SHA is missing or empty.');
  if (proposed !== active) {
    const { counts, names } = tally(items(object, 'status.proposed.commitStatuses'));
    return health(
      'Progressing',
      `Promotion in progress from '${short(active)}' to '${short(proposed)}': ${counts}${names}`,
    );
  }
  const { counts, names, pending, failed } = tally(items(object, 'status.active.commitStatuses'));
  if (pending > 0 || failed > 0)
    return health(
      'Healthy',
      `Environment is up-to-date, but there are non-successful active commit statuses: ${counts}${names}`,
    );
  return health('Healthy', `Environment is up-to-date on commit ${short(active)}.`);
}

/** The dry commit that the hydrator has processed: its note first. */
function proposedSha(environment: unknown): string {
  const note = textAt(environment, 'proposed.note.drySha') ?? '';
  return note === '' ? (textAt(environment, 'proposed.dry.sha') ?? '') : note;
}

function incomplete(environments: readonly unknown[]): Health | undefined {
  for (const environment of environments) {
    const side = (textAt(environment, 'active.dry.sha') ?? '') === '' ? 'active' : 'proposed';
    if (side === 'active' || proposedSha(environment) === '')
      return health(
        'Progressing',
        `The ${side} commit DRY SHA is missing or empty in environment '${textAt(environment, 'branch')}'.`,
      );
  }
  if (new Set(environments.map(proposedSha)).size <= 1) return undefined;
  return health(
    'Progressing',
    'Not all environments have the same proposed commit SHA. This likely means the hydrator has not run for all environments yet.',
  );
}

function promoting(environment: unknown): Health | undefined {
  const active = textAt(environment, 'active.dry.sha');
  const proposed = textAt(environment, 'proposed.dry.sha');
  if (active === proposed) return undefined;
  const { counts, names } = tally(items(environment, 'proposed.commitStatuses'));
  const way = `for environment '${textAt(environment, 'branch')}' from '${short(active)}' to '${short(proposed)}'`;
  const hydrated = `Hydrator has processed dry commit '${short(proposedSha(environment))}'. `;
  return health('Progressing', `Promotion in progress ${way}: ${counts}${names}${hydrated}`);
}

function strategy(object: KubeObject): Health {
  const environments = items(object, 'status.environments');
  if (environments.length === 0) return health('Degraded', 'Promotion strategy has no environments configured');
  const open = incomplete(environments) ?? environments.map(promoting).find((found) => found !== undefined);
  if (open !== undefined) return open;
  const unsuccessful = environments
    .map((environment) => ({ environment, ...tally(items(environment, 'active.commitStatuses')) }))
    .filter(({ pending, failed }) => pending > 0 || failed > 0)
    .map(
      ({ environment, pending, failed }) => `${textAt(environment, 'branch')} (${failed} failed, ${pending} pending)`,
    );
  if (unsuccessful.length > 0)
    return health(
      'Healthy',
      `Environments are up-to-date, but some environments have non-successful commit statuses: ${unsuccessful.join(', ')}.`,
    );
  const commit = short(textAt(environments[0], 'active.dry.sha'));
  const hydrated = short(proposedSha(environments[0]));
  return health(
    'Healthy',
    `All environments are up-to-date on commit '${commit}'. Hydrator has processed dry commit '${hydrated}'.`,
  );
}

function applications(object: KubeObject): Health {
  const { length } = items(object, 'status.applicationsSelected');
  if (length === 0) return health('Degraded', 'Argo CD commit status has no applications configured');
  return health('Healthy', `Argo CD commit status is healthy and is tracking ${length} applications`);
}

/** GitOps Promoter. */
export const promoterKinds: Catalogue = {
  'promoter.argoproj.io/ArgoCDCommitStatus': ready(plain('Argo CD commit status'), applications),
  'promoter.argoproj.io/ChangeTransferPolicy': ready(plain('change transfer policy'), transfer),
  'promoter.argoproj.io/PromotionStrategy': ready(plain('promotion strategy'), strategy),
  'promoter.argoproj.io/CommitStatus': ready(plain('commit status'), (object) => {
    const sha = textAt(object, 'status.sha');
    const phase = textAt(object, 'status.phase');
    if (sha === undefined || phase === undefined) return health('Healthy', 'Commit status is healthy');
    return health('Healthy', `Commit status for commit ${sha} reports ${phase}`);
  }),
  'promoter.argoproj.io/PullRequest': ready({ ...plain('pull request'), types: ['Reconciled', 'Ready'] }, (object) => {
    const id = textAt(object, 'status.id');
    const state = textAt(object, 'status.state');
    if (id === undefined || state === undefined) return health('Healthy', 'Pull request is healthy');
    return health('Healthy', `Pull request is ${state} as PR ${id}`);
  }),
  'promoter.argoproj.io/ClusterScmProvider': provider('ClusterScmProvider', 'cluster SCM provider'),
  'promoter.argoproj.io/ScmProvider': provider('ScmProvider', 'SCM provider'),
  'promoter.argoproj.io/GitRepository': provider('GitRepository', 'Git repository'),
  'promoter.argoproj.io/GitCommitStatus': gate({
    kind: 'GitCommitStatus',
    name: 'git commit validation',
    validation: 'Git commit validation',
    reconciled: 'Git commit validation reconciled',
    passed: 'Git commit validation passed',
    failed: 'Git commit validation failed',
  }),
  'promoter.argoproj.io/TimedCommitStatus': gate({
    kind: 'TimedCommitStatus',
    name: 'timed commit gate',
    validation: 'Timed commit gate',
    reconciled: 'Timed commit gate reconciled',
    passed: 'Timed commit gate satisfied',
    failed: 'Timed commit gate failed',
  }),
  'promoter.argoproj.io/WebRequestCommitStatus': gate({
    kind: 'WebRequestCommitStatus',
    name: 'web request commit validation',
    validation: 'Web request validation',
    reconciled: 'Web request commit validation reconciled',
    passed: 'Web request validation passed',
    failed: 'Web request commit validation failed',
  }),
};
