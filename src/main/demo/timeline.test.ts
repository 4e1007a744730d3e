import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Leg, playStory } from './story.ts';
import { progressPrinter, renderTimeline } from './timeline.ts';

const world = {
  pid: 1,
  slipway: { url: '', token: '' },
  kubernetes: { url: '', kubeconfig: '' },
  registry: { url: '', host: '' },
  forge: { url: '', apiUrl: '' },
  developer: { login: '', name: '', email: '', token: '' },
  reviewer: { login: '', name: '', email: '', token: '' },
};
const context = {
  world,
  programs: { git: '', kubectl: '', node: '', slipway: '' },
  workDir: '',
  signal: new AbortController().signal,
  facts: new Map<string, string>(),
};

const good: Leg = {
  id: 'good',
  title: 'goes well',
  async run({ say, measure }) {
    say('half way');
    measure('a part', 12.4);
  },
};
const bad: Leg = {
  id: 'bad',
  title: 'goes wrong',
  async run() {
    throw new Error('the registry is away');
  },
};

test('the story stops at the leg that fails, and names it', async () => {
  const lines: string[] = [];
  const results = await playStory(
    [good, bad, good],
    context,
    progressPrinter((text) => lines.push(text), false),
  );
  assert.deepEqual(
    results.map(({ leg, ok, error, parts }) => ({ leg, ok, error, parts })),
    [
      { leg: 'good', ok: true, error: undefined, parts: [{ name: 'a part', ms: 12 }] },
      { leg: 'bad', ok: false, error: 'the registry is away', parts: [] },
    ],
  );
  assert.match(lines.join(''), /FAILED after [\d.]+ s: the registry is away/);
  assert.match(renderTimeline(results), /! goes wrong/);
});

test('with --json every line is one event', async () => {
  const lines: string[] = [];
  await playStory(
    [good],
    context,
    progressPrinter((text) => lines.push(text), true),
  );
  const events = lines.map((line) => JSON.parse(line).type);
  assert.deepEqual(events, ['leg-started', 'progress', 'leg-finished']);
});

test('the table gives each leg and part with its time, and the total', () => {
  const text = renderTimeline([
    { leg: 'a', title: 'first', ok: true, ms: 1500, parts: [{ name: 'inner', ms: 90 }] },
    { leg: 'b', title: 'second', ok: true, ms: 500, parts: [] },
  ]);
  assert.match(text, /first +1\.50 s\n +inner +90 ms\n +second +0\.50 s\n-+\n +total +2\.00 s/);
});
