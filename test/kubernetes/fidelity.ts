import type { Area, Difference, LeftOut } from './suite/case.ts';

export interface ClientRun {
  client: string;
  version: string;
  /** Names of the steps that passed. */
  passed: string[];
  failed: { step: string; why: string }[];
}

export interface FidelityInput {
  areas: readonly Area[];
  leftOut: readonly LeftOut[];
  differences: Readonly<Record<string, Difference>>;
  clients: readonly ClientRun[];
}

/** docs/reference/drydock-fidelity.md, whole: from the suite's cases and the last recorded run of the clients. */
export function fidelityDocument({ areas, leftOut, differences, clients }: FidelityInput): string {
  const known = Object.entries(differences);
  const count = areas.reduce((sum, area) => sum + area.cases.length, 0);
  const lines = [
    '# How close Drydock is to a real Kubernetes API server',
    '',
    '<!-- Made by `npm run docs:fidelity` from test/kubernetes; do not edit. -->',
    '',
    "Measured against kube-apiserver 1.33. The suite below speaks only HTTP and the clients' own programs, takes any",
    'kubeconfig (`npm run test:kubernetes -- --kubeconfig FILE`), and asserts only what the real server was seen to answer or',
    'its public documentation says. `npm test` runs it on Drydock. A known difference is marked in the suite; the run checks',
    'that it is still there, so this page cannot go stale.',
    '',
    `## What is checked: ${count} cases, ${known.length === 0 ? 'no' : known.length} known ${known.length === 1 ? 'difference' : 'differences'}`,
    '',
    '| area | cases | as the real server | differ |',
    '|---|--:|--:|--:|',
    ...areas.map((area) => {
      const differ = area.cases.filter((item) => differences[`${area.name}/${item.id}`]).length;
      return `| ${area.title} (\`${area.name}\`) | ${area.cases.length} | ${area.cases.length - differ} | ${differ} |`;
    }),
    '',
    '## Known differences',
    '',
    ...(known.length === 0 ? ['None that the suite has a case for.'] : table(known)),
    '',
    '## Left out',
    '',
    'Each is answered with a plain error or warning, which the suite checks too, and never ignored:',
    '',
    '| what | answer |',
    '|---|---|',
    ...leftOut.map((item) => `| ${item.what} | ${item.answer} |`),
    '',
    'More than one API server, encryption at rest, priority and fairness, and pod security are no part of Drydock.',
    '',
    '## Clients',
    '',
    'The same script of commands with each client, unchanged, against Drydock (`npm run test:clients`):',
    '',
    ...clientTable(clients),
    '',
  ];
  return lines.join('\n');
}

function table(known: [string, Difference][]): string[] {
  return [
    '| case | the real server | Drydock | why |',
    '|---|---|---|---|',
    ...known.map(([id, { real, drydock, why }]) => `| \`${id}\` | ${real} | ${drydock} | ${why} |`),
  ];
}

function clientTable(clients: readonly ClientRun[]): string[] {
  return [
    '| client | version | commands passed | failed |',
    '|---|---|--:|---|',
    ...clients.map(({ client, version, passed, failed }) => {
      const names = failed.map(({ step, why }) => `${step} (${why})`).join(', ');
      return `| ${client} | ${version} | ${passed.length} | ${names || 'none'} |`;
    }),
  ];
}
