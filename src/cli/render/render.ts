import { resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { AppError } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Result } from '../printer.ts';
import type { Session } from '../session.ts';
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
}

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
    .action(async (files: string[], flags: RenderFlags) => {
      const format = parseFormat(flags.output);
      const { cwd } = session.deps;
      const repositories = parseRepositories(cwd, flags);
      const applications = await readApplications(cwd, files);
      await using renderer = await session.deps.openRenderer({
        plugins: flags.plugins === undefined ? undefined : resolve(cwd, flags.plugins),
      });
      const out: KubeObject[] = [];
      for (const found of applications) {
        const cluster = { kubeVersion: flags.kubeVersion, apiVersions: flags.apiVersions };
        const rendered = await renderApplication({ renderer, repositories, cluster }, found, session.signal);
        out.push(...placeManifests(found.application, rendered, flags.tracking));
      }
      print(session, resultOf(out), format);
    });
}

type RenderFormat = 'yaml' | 'json' | 'name';

function parseFormat(text: string): RenderFormat {
  if (text === 'yaml' || text === 'json' || text === 'name') return text;
  throw new AppError('bad-input', `-o ${text} is no output format of render`, { hint: 'one of: yaml, json, name' });
}

function resultOf(manifests: KubeObject[]): Record<RenderFormat, () => string> {
  return {
    yaml: () =>
      manifests.map((object) => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`).join(''),
    json: () => `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, null, 2)}\n`,
    name: () => manifests.map(nameOf).join(''),
  };
}

function nameOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  const name = metadata.name ?? `${String(metadata['generateName'] ?? '')}*`;
  return `${metadata.namespace ? `${metadata.namespace}/` : ''}${kind.toLowerCase()}${group}/${name}\n`;
}

function print(session: Session, texts: Record<RenderFormat, () => string>, format: RenderFormat): void {
  const result: Result = { data: undefined, text: texts[format] };
  session.show(result, { output: 'table' });
}
