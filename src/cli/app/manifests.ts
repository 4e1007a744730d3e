import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { getArray, getString, isObject, type JsonObject, parseJson } from '#base/json.ts';
import { applicationPath } from '../client.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';

interface ManifestsOptions extends OutputOption {
  source: 'git' | 'live';
  revision?: string;
}

async function liveOf(session: Session, name: string): Promise<JsonObject[]> {
  const answer = await session.client.request('GET', applicationPath(name, '/managed-resources'));
  return getArray(answer, 'items').flatMap((item) => {
    const live = parseJson(getString(item, 'liveState') ?? 'null', 'liveState');
    return isObject(live) ? [live] : [];
  });
}

export function registerAppManifests(app: Command, session: Session): void {
  withOutput(app.command('manifests <name>'))
    .description('what Git wants, rendered; or what of it is in the cluster')
    .addOption(new Option('--source <source>', 'git or live').choices(['git', 'live']).default('git'))
    .option('--revision <revision>', 'of another revision')
    .action(async (name: string, options: ManifestsOptions) => {
      const { source, revision } = options;
      const manifests =
        source === 'live' ? await liveOf(session, name) : await session.client.manifests(name, { revision });
      const text = manifests.map((manifest) => `---\n${stringify(manifest, { lineWidth: 0 })}`).join('');
      session.show({ data: manifests, text: () => text }, options);
    });
}
