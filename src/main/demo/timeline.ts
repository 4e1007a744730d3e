import type { LegResult, StoryEvent } from './story.ts';

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** The table at the end: each leg with its seconds, its measured parts below it. */
export function renderTimeline(results: LegResult[]): string {
  const rows: [string, string][] = [];
  for (const result of results) {
    rows.push([`${result.ok ? ' ' : '!'} ${result.title}`, seconds(result.ms)]);
    for (const part of result.parts)
      rows.push([`      ${part.name}`, part.ms < 1000 ? `${part.ms} ms` : seconds(part.ms)]);
  }
  const total = results.reduce((sum, result) => sum + result.ms, 0);
  rows.push(['  total', seconds(total)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const line = '-'.repeat(width + 12);
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value.padStart(10)}`);
  return [line, ...lines.slice(0, -1), line, ...lines.slice(-1)].join('\n');
}

/** Progress as people read it; with `json`, one JSON document a line, the same events. */
export function progressPrinter(write: (text: string) => void, json: boolean): (event: StoryEvent) => void {
  if (json) return (event) => write(`${JSON.stringify(event)}\n`);
  return (event) => {
    switch (event.type) {
      case 'leg-started':
        write(`\n> ${event.title}\n`);
        return;
      case 'progress':
        write(`    ${event.message.replaceAll('\n', '\n    ')}\n`);
        return;
      case 'leg-finished':
        write(
          event.ok ? `    done in ${seconds(event.ms)}\n` : `    FAILED after ${seconds(event.ms)}: ${event.error}\n`,
        );
        return;
    }
  };
}
