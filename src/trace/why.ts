import type { Application } from '#model/argocd/application.ts';

/** One thing that holds an application back, and what to do about it. */
export interface Finding {
  problem: string;
  next: string;
}

const advice: [RegExp, string][] = [
  [
    /ImagePullBackOff|ErrImagePull|manifest unknown|cannot pull|not found in the registry/i,
    'check that the image and its tag exist and that the cluster may pull it',
  ],
  [
    /values.*(?:no such file|not found|does not exist)|no such file.*values/i,
    'check helm.valueFiles: paths are relative to source.path',
  ],
  [/authentication|unauthorized|permission denied|could not read Username/i, 'check the credentials of the repository'],
  [
    /could not resolve|connection refused|unreachable|unavailable|timed? ?out/i,
    'check that the address answers from where Slipway runs',
  ],
  [
    /unable to resolve|unknown revision|revision .*not (?:exist|found)/i,
    'check targetRevision: is there such a branch, tag or commit?',
  ],
  [/path .*(?:does not exist|not found)/i, 'check source.path'],
  [/conflict.*manager|field manager/i, 'another program owns that field: take it out of Git, or out of that program'],
  [/helm|template|yaml|parse/i, 'render it where you are: "slipway app manifests APP"'],
  [/CrashLoopBackOff|exited? with|back-off restarting/i, 'read the log of the container: kubectl logs'],
  [/forbidden/i, 'the account Slipway uses lacks a permission in the cluster'],
  [/immutable/i, 'the field cannot be changed in place: delete the object, or set the sync option Replace=true'],
];

function adviceFor(message: string, otherwise: string): string {
  return advice.find(([pattern]) => pattern.test(message))?.[1] ?? otherwise;
}

/** What holds an application back, the most telling first; empty when it is synced and healthy. */
export function explainWhy(application: Application): Finding[] {
  return [...specFindings(application), ...operationFindings(application), ...healthFindings(application)];
}

function specFindings({ metadata, status = {} }: Application): Finding[] {
  const findings: Finding[] = [];
  if (metadata.deletionTimestamp !== undefined)
    findings.push({
      problem: `it is being deleted since ${metadata.deletionTimestamp}`,
      next: `it goes when its finalizers are done: ${metadata.finalizers?.join(', ') || 'none are left'}`,
    });
  for (const { type, message } of status.conditions ?? [])
    findings.push({
      problem: `${type}: ${message}`,
      next: adviceFor(message, 'correct what the message names; it is looked at again by itself'),
    });
  return findings;
}

function operationFindings({ metadata, spec, status = {}, operation }: Application): Finding[] {
  const state = status.operationState;
  const outOfSync = status.sync?.status === 'OutOfSync';
  if (operation !== undefined || state?.phase === 'Running')
    return [
      {
        problem: `a sync is running: ${state?.message ?? 'just asked for'}`,
        next: `wait, or end it: slipway app terminate-op ${metadata.name}`,
      },
    ];
  if (state?.phase === 'Failed' || state?.phase === 'Error') {
    const failed = (state.syncResult?.resources ?? []).filter(
      ({ status: code, hookPhase }) => code === 'SyncFailed' || hookPhase === 'Failed' || hookPhase === 'Error',
    );
    const parts = failed.map(({ kind, name, message }) => `${kind} ${name}: ${message ?? 'failed'}`);
    const problem = [`the last sync failed: ${state.message ?? 'no message'}`, ...parts].join('; ');
    return [
      { problem, next: adviceFor(problem, `correct it in Git, or try again: slipway app sync ${metadata.name}`) },
    ];
  }
  if (!outOfSync) return [];
  const automated = spec.syncPolicy?.automated !== undefined && spec.syncPolicy.automated.enabled !== false;
  const differing = (status.resources ?? []).filter((resource) => resource.status === 'OutOfSync');
  const names = differing
    .slice(0, 5)
    .map(({ kind, name }) => `${kind} ${name}`)
    .join(', ');
  const what =
    names === '' ? 'live state differs from Git' : `differs from Git: ${names}${differing.length > 5 ? ', ...' : ''}`;
  if (!automated)
    return [
      {
        problem: `${what}; nobody asked for a sync and the policy is manual`,
        next: `look: slipway app diff ${metadata.name}; then: slipway app sync ${metadata.name}`,
      },
    ];
  const unpruned = differing.filter(({ requiresPruning }) => requiresPruning);
  if (unpruned.length > 0 && !spec.syncPolicy?.automated?.prune)
    return [
      { problem: `${what}; the automated policy does not prune`, next: `slipway app sync ${metadata.name} --prune` },
    ];
  if (status.history?.at(-1)?.revision === status.sync?.revision && !spec.syncPolicy?.automated?.selfHeal)
    return [
      {
        problem: `${what}; it was changed in the cluster and selfHeal is off`,
        next: `slipway app sync ${metadata.name}, or set selfHeal`,
      },
    ];
  return [{ problem: `${what}; an automated sync is due`, next: 'wait' }];
}

function healthFindings({ status = {} }: Application): Finding[] {
  const sick = (status.resources ?? []).filter(
    ({ health }) => health !== undefined && health.status !== 'Healthy' && health.status !== 'Unknown',
  );
  const findings = sick.map(({ kind, name, health }) => {
    const message = health?.message ?? 'no message';
    const otherwise =
      health?.status === 'Progressing'
        ? 'wait, it is still rolling out'
        : `look at it: kubectl describe ${kind.toLowerCase()} ${name}`;
    return { problem: `${kind} ${name} is ${health?.status}: ${message}`, next: adviceFor(message, otherwise) };
  });
  const { health } = status;
  if (findings.length > 0 || health === undefined || health.status === 'Healthy') return findings;
  const message = health.message ?? 'no message';
  return [
    {
      problem: `its health is ${health.status}: ${message}`,
      next: adviceFor(message, 'look at its resources: slipway app get APP'),
    },
  ];
}
