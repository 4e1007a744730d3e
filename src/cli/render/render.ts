import { resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { unreachable } from '#base/assert.ts';
import { AppError, explain } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Session } from '../session.ts';
import { readSettings, settingsOption } from '../settings-files.ts';
import { placeManifests } from './place.ts';
import { parseRepositories, readApplications, renderApplication } from './sources.ts';

interface RenderFlags {
  repoRoot?: string;
  repo: string[];
  output: string;
  tracking: boolean;
  plugins?: string;
  kubeVersion: string;
  apiVersions: string[];
  settings: string[];
}

/** As `argocd` exits when it could not do what it was asked for. */
const errorExit = 20;

export function registerRender(program: Command, session: Session): void {
  const collect = (value: string, previous: string[]) => [...previous, value];
  program
    .command('render <file...>')
    .description('the manifests of Application files, from the files on disk, without a server')
    .option('--repo-root <directory>', 'the repository that the sources are in (default: the one around each file)')
    .option('--repo <url=directory>', 'the working tree of a further repository; may be repeated', collect, [])
    .option('--tracking', 'with the tracking annotation, as a sync would write it', false)
    .option('--plugins <directory>', 'ConfigManagementPlugin files that may run')
    .option('--kube-version <version>', 'of the cluster that charts ask for', '1.33.0')
    .option('--api-versions <version>', 'an API that the cluster has; may be repeated', collect, [])
    .option('-o, --output <format>', 'yaml, json or name', 'yaml')
    .addOption(settingsOption('for kustomize.buildOptions, tools that are off, and limits'))
    .action(async (files: string[], flags: RenderFlags) => {
      try {
        session.deps.out(await runRender(session, files, flags));
      } catch (error) {
        if (session.signal.aborted) throw error;
        session.deps.err(`${explain(error)}\n`);
        session.exit = errorExit;
      }
    });
}

async function runRender(session: Session, files: string[], flags: RenderFlags): Promise<string> {
  const format = parseFormat(flags.output);
  const { cwd } = session.deps;
  const repositories = parseRepositories(cwd, flags);
  const { render: settings, tracking } = await readSettings(cwd, flags.settings);
  const applications = await readApplications(cwd, files);
  const plugins = flags.plugins === undefined ? undefined : resolve(cwd, flags.plugins);
  await using renderer = await session.deps.openRenderer({ plugins });
  const cluster = { kubeVersion: flags.kubeVersion, apiVersions: flags.apiVersions };
  const out: KubeObject[] = [];
  for (const found of applications) {
    const rendered = await renderApplication({ renderer, repositories, cluster, settings }, found, session.signal);
    out.push(...placeManifests(found.application, rendered, flags.tracking ? tracking : undefined));
  }
  return textOf(out, format);
}

type RenderFormat = 'yaml' | 'json' | 'name';

function parseFormat(text: string): RenderFormat {
  if (text === 'yaml' || text === 'json' || text === 'name') return text;
  throw new AppError('bad-input', `-o ${text} is no output format of render`, { hint: 'one of: yaml, json, name' });
}

function textOf(manifests: readonly KubeObject[], format: RenderFormat): string {
  switch (format) {
    case 'yaml':
      return manifests
        .map((object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`)
        .join('');
    case 'json':
      return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, null, 2)}\n`;
    case 'name':
      return manifests.map(nameOf).join('');
    default:
      return unreachable(format);
  }
}

function nameOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  const name = metadata.name ?? `${String(metadata['generateName'] ?? '')}*`;
  return `${metadata.namespace ? `${metadata.namespace}/` : ''}${kind.toLowerCase()}${group}/${name}\n`;
}
