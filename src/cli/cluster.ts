import { type Command, InvalidArgumentError, Option } from 'commander';
import { registerClusters } from './clusters.ts';
import type { ClusterOptions } from './deps.ts';
import { parsePort } from './processes.ts';
import type { Session } from './session.ts';

/** `slipway cluster`: Drydock's Kubernetes by itself. */
export function registerCluster(program: Command, session: Session): void {
  const { processes } = session.deps;
  const cluster = program
    .command('cluster')
    .description(
      'by itself: a Kubernetes cluster for kubectl, helm and tests, until Ctrl-C; below it: the clusters of applications',
    )
    .option('--data <directory>', 'where it is kept (default: .slipway/cluster)')
    .option('--in-memory', 'keep nothing: an empty cluster at every start')
    .option('--port <port>', 'of the API server on 127.0.0.1 (default: a free one, kept with the data)', parsePort)
    .option('--kubeconfig <file>', "where the administrator's kubeconfig is written (default: in the data directory)")
    .addOption(
      new Option('--node <kind>', 'what runs pods: nothing but in appearance, processes of this machine, or nothing')
        .choices(['simulated', 'process', 'none'])
        .default('simulated'),
    )
    .option('--nodes <number>', 'how many simulated nodes, 110 pods each', parseCount, 1)
    .option('--speed <factor>', 'everything on simulated nodes goes that many times faster', parseSpeed, 1)
    .option('--image-fault <image=knob:value>', 'images that fail on simulated nodes; repeatable', addFault)
    .option('--controllers <list>', 'which run: all, none, or as *,-scheduler (default: all)', parseList)
    .option('--user-token <token=user,group,...>', 'another bearer token that is let in; repeatable', addToken)
    .option('--service-cidr <network>', 'the range of cluster IPs (default: 10.96.0.0/16)')
    .option('--service-node-port-range <first-last>', 'the range of node ports (default: 30000-32767)')
    .option('--disable-admission <names>', 'to switch off: ServiceAccount, DefaultTolerationSeconds', parseAdmissions)
    .addOption(
      new Option('--authorization <mode>', 'whether roles decide, or whoever is known may do everything')
        .choices(['rbac', 'always-allow'])
        .default('rbac'),
    )
    .action(async (flags: ClusterFlags) => {
      const { data, inMemory = false, serviceCidr, serviceNodePortRange, ...rest } = flags;
      const { imageFault = [], userToken = [], controllers = ['*'], disableAdmission = [], ...others } = rest;
      const options: ClusterOptions = {
        ...others,
        dataDirectory: data,
        inMemory,
        imageFaults: imageFault,
        tokens: userToken,
        controllers,
        disableAdmission,
        services: {
          ...(serviceCidr === undefined ? {} : { serviceCidr }),
          ...(serviceNodePortRange === undefined ? {} : { nodePortRange: serviceNodePortRange }),
        },
      };
      session.exit = await processes.cluster(options, session.signal);
    });
  registerClusters(cluster, session);
  cluster
    .command('kubeconfig')
    .description('print a kubeconfig for a user, by a certificate of the cluster; what the user may do is RBAC')
    .requiredOption('--user <name>', 'a user, or system:serviceaccount:NAMESPACE:NAME')
    .option('--group <name>', 'a group of the user; repeatable', (text, before: string[]) => [...before, text], [])
    .option('-n, --namespace <name>', 'where commands without a namespace go')
    .action(async (_: unknown, command: Command) => {
      const { data, user, group, namespace } = command.optsWithGlobals<UserFlags>();
      const subject = { user, groups: group, namespace };
      session.deps.out(await processes.clusterKubeconfig({ dataDirectory: data, ...subject }));
    });
}

interface ClusterFlags {
  data?: string;
  inMemory?: boolean;
  port?: number;
  kubeconfig?: string;
  node: 'simulated' | 'process' | 'none';
  nodes: number;
  speed: number;
  imageFault?: ClusterOptions['imageFaults'];
  controllers?: string[];
  userToken?: ClusterOptions['tokens'];
  serviceCidr?: string;
  serviceNodePortRange?: string;
  disableAdmission?: string[];
  authorization: 'rbac' | 'always-allow';
}

interface UserFlags {
  data?: string;
  user: string;
  group: string[];
  namespace?: string;
}

function parseList(text: string): string[] {
  return text === 'none' ? [] : text.split(',').map((word) => (word.trim() === 'all' ? '*' : word.trim()));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > 5000) throw new InvalidArgumentError('give 0 to 5000.');
  return count;
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed > 0 && speed <= 1_000_000)) throw new InvalidArgumentError('give a number above 0.');
  return speed;
}

function addFault(text: string, before: ClusterOptions['imageFaults'] = []): ClusterOptions['imageFaults'] {
  const [, image, knob, value] = /^([^=]+)=([^:]+):(.*)$/.exec(text) ?? [];
  if (image === undefined || knob === undefined || value === undefined)
    throw new InvalidArgumentError("give for example '*/broken:*=crash-after:2s'.");
  return [...before, { image, knobs: { [knob]: value } }];
}

function addToken(text: string, before: ClusterOptions['tokens'] = []): ClusterOptions['tokens'] {
  const [, token, user, groups] = /^([^=,]+)=([^,]+)(?:,(.*))?$/.exec(text) ?? [];
  if (token === undefined || user === undefined) throw new InvalidArgumentError('give TOKEN=USER,GROUP,...');
  return [...before, { token, user, groups: groups ? groups.split(',') : [] }];
}

const admissions = ['ServiceAccount', 'DefaultTolerationSeconds'];

function parseAdmissions(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (!names.every((name) => admissions.includes(name)))
    throw new InvalidArgumentError(`what can be switched off is ${admissions.join(' and ')}.`);
  return names;
}
