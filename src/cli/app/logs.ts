import type { Command } from 'commander';
import { getString } from '#base/json.ts';
import { applicationPath } from '../client.ts';
import type { Session } from '../session.ts';

interface LogFlags {
  follow?: boolean;
  tail?: string;
  sinceSeconds?: string;
  untilTime?: string;
  filter?: string;
  matchCase?: boolean;
  container?: string;
  group?: string;
  kind?: string;
  namespace?: string;
  name?: string;
  previous?: boolean;
}

export function registerAppLogs(app: Command, session: Session): void {
  app
    .command('logs <name>')
    .description('what the containers of an application write')
    .option('-f, --follow', 'go on as it comes')
    .option('--tail <lines>', 'only the last lines of each container')
    .option('--since-seconds <seconds>', 'not older than that')
    .option('--until-time <time>', 'not newer than that (RFC 3339)')
    .option('--filter <text>', 'lines with this text; !TEXT for those without')
    .option('--match-case', 'capital letters count in --filter')
    .option('-c, --container <name>', 'of that container')
    .option('--group <group>', 'of resources of that group')
    .option('--kind <kind>', 'of resources of that kind')
    .option('--namespace <name>', 'of resources of that namespace')
    .option('--name <name>', 'of the resource of that name')
    .option('-p, --previous', 'of the containers before the ones that run')
    .action(async (name: string, flags: LogFlags) => {
      const { tail: tailLines, name: resourceName, ...rest } = flags;
      const target = applicationPath(name, '/logs', { ...rest, tailLines, resourceName });
      for await (const entry of session.client.stream(target)) {
        const content = getString(entry, 'content') ?? '';
        const pod = getString(entry, 'podName') ?? '';
        if (content === '' && JSON.stringify(entry).includes('"last":true')) continue;
        session.deps.out(`${pod === '' ? '' : `${pod} `}${content}\n`);
      }
    });
}
