import type { ApplicationView } from '#server/contract.ts';

export interface WorldSummary {
  total: number;
  tone: 'good' | 'busy' | 'wait' | 'bad';
  headline: string;
  parts: { tone: 'good' | 'busy' | 'wait' | 'bad' | 'drift'; count: number; text: string }[];
}

/** The state of everything in one sentence, and the counts behind it. */
export function summarize(applications: ApplicationView[]): WorldSummary {
  const count = (test: (view: ApplicationView) => boolean) => applications.filter(test).length;
  const failed = count(({ hint, health }) => hint?.kind === 'failed' || health.status === 'Degraded');
  const drifted = count(({ drift }) => drift);
  const waiting = count(({ hint }) => hint?.kind === 'waiting');
  const busy = count(({ hint }) => hint?.kind === 'working');
  const total = applications.length;
  const fine = total - count(({ hint, health }) => hint !== undefined || health.status === 'Degraded');
  const parts: WorldSummary['parts'] = [
    { tone: 'bad' as const, count: failed, text: 'failing' },
    { tone: 'drift' as const, count: drifted, text: 'drifted' },
    { tone: 'wait' as const, count: waiting, text: waiting === 1 ? 'waits for a sync' : 'wait for a sync' },
    { tone: 'busy' as const, count: busy, text: 'in progress' },
    { tone: 'good' as const, count: fine, text: 'in order' },
  ].filter((part) => part.count > 0);
  return { total, parts, ...verdict({ total, failed, drifted, waiting, busy }) };
}

function verdict(
  counts: Record<'total' | 'failed' | 'drifted' | 'waiting' | 'busy', number>,
): Pick<WorldSummary, 'tone' | 'headline'> {
  const { total, failed, drifted, waiting, busy } = counts;
  if (total === 0) return { tone: 'good', headline: 'No applications yet' };
  if (failed > 0)
    return { tone: 'bad', headline: failed === 1 ? 'One application needs you' : `${failed} applications need you` };
  if (drifted > 0)
    return {
      tone: 'wait',
      headline: drifted === 1 ? 'One application was changed by hand' : `${drifted} applications were changed by hand`,
    };
  if (waiting > 0)
    return { tone: 'wait', headline: waiting === 1 ? 'One change waits for you' : `${waiting} changes wait for you` };
  if (busy > 0) return { tone: 'busy', headline: 'Work is in progress' };
  return { tone: 'good', headline: 'Everything is as Git wants it' };
}
