import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRun } from '../agent/container-state.ts';
import { readPodSpec } from '../agent/pod-spec.ts';
import { SimulatedContainer } from './container.ts';
import { goodKnobs, type Knobs } from './knobs.ts';
import { usualTiming } from './timing.ts';

interface Setup {
  knobs?: Partial<Knobs>;
  policy?: 'Always' | 'OnFailure' | 'Never';
  init?: boolean;
  speed?: number;
  container?: Record<string, unknown>;
  imageThere?: boolean;
}

const start = Date.UTC(2026, 0, 1);

/** Plays a container until `untilMs` and notes each state with the second at which it came. */
function play(setup: Setup, untilMs: number): { states: string[]; events: string[] } {
  const { knobs, policy = 'Always', init = false, speed = 1, container, imageThere = true } = setup;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'shop/c:1', ...container }] },
  };
  const [spec] = readPodSpec(pod).containers;
  assert(spec);
  const states: string[] = [];
  const events: string[] = [];
  const simulated = new SimulatedContainer(newRun(spec), {
    init,
    policy,
    pod: 'p_default(uid)',
    podStartedAt: start,
    knobs: { ...goodKnobs, ...knobs },
    timing: { ...usualTiming, pullMs: 1000, createMs: 0, speed },
    images: new Set(imageThere ? ['shop/c:1'] : []),
    containerId: () => 'simulated://1',
    jitter: () => 1,
    missing: () => undefined,
    event: ({ reason, message }) => events.push(`${reason}: ${message}`),
  });
  let shown = '';
  for (let now = start; now <= start + untilMs; ) {
    const { run } = simulated;
    simulated.advance(now);
    if (simulated.idle && run.state.kind === 'waiting' && (run.startAfter ?? 0) <= now) {
      simulated.begin(now);
      simulated.advance(now);
    }
    const { state } = run;
    const what = state.kind === 'running' ? (run.ready ? 'ready' : run.started ? 'running' : 'starting') : state.reason;
    const exit = state.kind === 'terminated' ? ` ${state.exitCode}` : run.last ? ` (after ${run.last.exitCode})` : '';
    if (what + exit !== shown) states.push(`${(now - start) / 1000} ${what}${exit}`);
    shown = what + exit;
    const next = simulated.nextAt(now) ?? (run.state.kind === 'waiting' ? run.startAfter : undefined);
    if (next === undefined) break;
    now = Math.max(next, now + 1);
  }
  return { states, events };
}

const timelines: (Setup & { name: string; untilMs: number; want: string[] })[] = [
  { name: 'a good container', untilMs: 60_000, want: ['0 ready'] },
  { name: 'an image is pulled first', imageThere: false, untilMs: 60_000, want: ['0 ContainerCreating', '1 ready'] },
  {
    name: 'probes are good after their initial delay',
    container: { startupProbe: { initialDelaySeconds: 2 }, readinessProbe: { initialDelaySeconds: 5 } },
    untilMs: 60_000,
    want: ['0 starting', '2 running', '5 ready'],
  },
  {
    name: 'a slow start, and readiness later than the probe',
    knobs: { startTakesMs: 3000, readyAfterMs: 9000 },
    untilMs: 60_000,
    want: ['0 ContainerCreating', '3 running', '12 ready'],
  },
  { name: 'never ready', knobs: { neverReady: true }, untilMs: 60_000, want: ['0 running'] },
  {
    name: 'not ready for a while',
    knobs: { unreadyFromMs: 10_000, unreadyForMs: 5000 },
    untilMs: 60_000,
    want: ['0 ready', '10 running', '15 ready'],
  },
  {
    name: 'a crash loop backs off 0, 10, 20, 40 seconds',
    knobs: { crashAfterMs: 1000, exitCode: 3 },
    untilMs: 75_000,
    want: [
      '0 ready',
      '1 ready (after 3)',
      '2 CrashLoopBackOff (after 3)',
      '12 ready (after 3)',
      '13 CrashLoopBackOff (after 3)',
      '33 ready (after 3)',
      '34 CrashLoopBackOff (after 3)',
      '74 ready (after 3)',
      '75 CrashLoopBackOff (after 3)',
    ],
  },
  {
    name: 'ten times faster is the same in a tenth of the time',
    knobs: { crashAfterMs: 1000, exitCode: 3 },
    speed: 10,
    untilMs: 1200,
    want: ['0 ready', '0.1 ready (after 3)', '0.2 CrashLoopBackOff (after 3)', '1.2 ready (after 3)'],
  },
  {
    name: 'out of memory once, then good',
    knobs: { oomAfterMs: 2000, crashes: 1 },
    untilMs: 600_000,
    want: ['0 ready', '2 ready (after 137)'],
  },
  {
    name: 'an image that comes after half a minute',
    knobs: { pullFailsForMs: 25_000 },
    imageThere: false,
    untilMs: 60_000,
    want: ['0 ErrImagePull', '1 ImagePullBackOff', '10 ErrImagePull', '11 ImagePullBackOff', '31 ready'],
  },
  {
    name: 'a job ends',
    policy: 'Never',
    knobs: { runsForMs: 4000 },
    untilMs: 60_000,
    want: ['0 ready', '4 Completed 0'],
  },
  {
    name: 'a job fails once for good',
    policy: 'Never',
    knobs: { runsForMs: 4000, exitCode: 2 },
    untilMs: 60_000,
    want: ['0 ready', '4 Error 2'],
  },
  {
    name: 'a job that is started again after a failure',
    policy: 'OnFailure',
    knobs: { runsForMs: 4000, exitCode: 2, crashes: 1 },
    untilMs: 60_000,
    want: ['0 ready', '4 ready (after 2)', '8 Completed 0'],
  },
  { name: 'an init container', init: true, untilMs: 60_000, want: ['0 ready', '0.2 Completed 0'] },
];

for (const { name, untilMs, want, ...setup } of timelines)
  test(name, () => assert.deepEqual(play(setup, untilMs).states, want));

test('a failed pull says what a kubelet says', () => {
  const missing = 'docker.io/shop/c:1';
  const why = `failed to pull and unpack image "${missing}": failed to resolve reference "${missing}": ${missing}: not found`;
  const { events } = play({ knobs: { pullFailsForMs: 5000 }, imageThere: false }, 5000);
  assert.deepEqual(events, [
    'Pulling: Pulling image "shop/c:1"',
    `Failed: Failed to pull image "shop/c:1": ${why}`,
    'Failed: Error: ErrImagePull',
    'BackOff: Back-off pulling image "shop/c:1"',
    'Failed: Error: ImagePullBackOff',
  ]);
});
