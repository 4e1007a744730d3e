import { type Command, InvalidArgumentError } from 'commander';
import type { Session } from './session.ts';

/** The commands that are a whole process each; what they do is given by `src/main`. */
export function registerProcesses(program: Command, session: Session): void {
  const { processes } = session.deps;
  const signal = session.signal;

  program
    .command('up')
    .description('the whole world on this machine: cluster, registry, forge and Slipway; stays until Ctrl-C')
    .option('--data <directory>', 'where its data is kept (default: .slipway)')
    .action(async (options: { data?: string }) => {
      session.exit = await processes.up({ dataDirectory: options.data }, signal);
    });

  program
    .command('demo')
    .description('play the story from a commit to production and back, and print the time of each leg')
    .option('--json', 'one JSON line per step instead of text')
    .option('--keep', 'leave the data behind')
    .option('--data <directory>', 'where its data is kept (default: a new folder, deleted at the end)')
    .action(async (options: { json?: boolean; keep?: boolean; data?: string }) => {
      const { json = false, keep = false, data } = options;
      session.exit = await processes.demo({ json, keep, dataDirectory: data }, signal);
    });

  program
    .command('serve')
    .description('Slipway for a cluster: controllers, API and page')
    .option('--kubeconfig <file>', 'of the cluster (default: as kubectl finds it, or the pod it runs in)')
    .option('--context <name>', 'of the kubeconfig')
    .option('-n, --namespace <namespace>', 'where Application objects are', 'argocd')
    .option('--host <address>', 'to listen on', '127.0.0.1')
    .option('--port <port>', 'to listen on, 0 takes a free one', parsePort, 8080)
    .option('--data <directory>', 'where history and caches are kept (default: .slipway)')
    .option('--plugins <directory>', 'ConfigManagementPlugin files that may run on this machine (default: none)')
    .action(async (options: ServeFlags) => {
      const { kubeconfig, context, namespace, host, port, data, plugins } = options;
      session.exit = await processes.serve(
        { kubeconfig, context, namespace, host, port, dataDirectory: data, plugins },
        signal,
      );
    });
}

interface ServeFlags {
  kubeconfig?: string;
  context?: string;
  namespace: string;
  host: string;
  port: number;
  data?: string;
  plugins?: string;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('give 0 to 65535.');
  return port;
}
