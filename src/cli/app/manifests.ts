import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type OutputOption, type Session, withOutput } from '../session.ts';

export function registerAppManifests(app: Command, session: Session): void {
  withOutput(app.command('manifests <name>'))
    .description('what Git wants, rendered')
    .option('--revision <revision>', 'of another revision')
    .action(async (name: string, options: OutputOption & { revision?: string }) => {
      const manifests = await session.client.manifests(name, { revision: options.revision });
      const text = manifests.map((manifest) => `---\n${stringify(manifest, { lineWidth: 0 })}`).join('');
      session.show({ data: manifests, text: () => text }, options);
    });
}
