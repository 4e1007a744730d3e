import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { buildImage } from '#build/build-image.ts';
import type { Forge } from '#drydock/forge/server.ts';
import type { RegistryClient } from '#oci/port.ts';
import type { WorldSecrets } from './accounts.ts';
import { runProgram } from './demo/program.ts';
import { projectRoot } from './programs.ts';

export const developer = { login: 'mina', name: 'Mina Okafor', email: 'mina@myshop.example' };
export const reviewer = { login: 'jonas', name: 'Jonas Berg', email: 'jonas@myshop.example' };
const bot = { login: 'slipway', name: 'Slipway', email: 'slipway@myshop.example' };
const pipeline = { login: 'myshop-pipeline', name: 'myshop pipeline', email: 'pipeline@myshop.example' };

const organisation = 'myshop';
const repositories = ['myshop-api', 'myshop-manifests'];
/** What runs before anybody pushes anything. */
const firstVersion = '1.4.2';

export interface OrganisationOptions {
  forge: Forge;
  registryHost: string;
  registryClient: RegistryClient;
  webhookUrl: string;
  secrets: WorldSecrets;
  gitPath: string;
  /** Existing directory for checkouts under way. */
  workDir: string;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

/** Makes the organisation `myshop` of `examples/` in a forge. Repeatable: what is there stays as people left it. */
export async function seedOrganisation(options: OrganisationOptions): Promise<void> {
  const { forge, secrets, webhookUrl, signal } = options;
  const { seed } = forge;
  for (const user of [developer, reviewer, bot, pipeline]) seed.createUser(user.login, user.name, user.email);
  seed.createOrg(organisation, 'My Shop');
  for (const { login } of [developer, reviewer]) seed.addMember(organisation, login, 'admin');
  for (const { login } of [bot, pipeline]) seed.addMember(organisation, login, 'member');
  seed.adoptToken(developer.login, 'laptop', secrets.developerToken);
  seed.adoptToken(reviewer.login, 'laptop', secrets.reviewerToken);
  seed.adoptToken(bot.login, 'gitops', secrets.slipwayForgeToken);
  seed.adoptToken(pipeline.login, 'MANIFESTS_REPO_TOKEN', secrets.pipelineToken);
  for (const name of repositories) await seed.createRepository(organisation, { name }, signal);
  for (const { login } of [bot, pipeline]) {
    seed.addCollaborator(organisation, 'myshop-manifests', { login, permission: 'write' });
  }
  seed.setSecret({ owner: organisation, repository: 'myshop-api' }, 'MANIFESTS_REPO_TOKEN', secrets.pipelineToken);
  seed.putEnvironment(organisation, 'myshop-api', { name: 'production', reviewers: [reviewer.login] });
  seed.putWebhook({ owner: organisation }, { url: webhookUrl, secret: secrets.webhookSecret, events: ['push'] });
  for (const name of repositories) await importRepository(options, name);
}

/** Pushes an example as the first commit, when the repository is still empty. */
async function importRepository(options: OrganisationOptions, name: string): Promise<void> {
  const { forge, gitPath, workDir, secrets, signal } = options;
  const remote = `${forge.url}/${organisation}/${name}.git`;
  const git = (cwd: string, args: string[]) =>
    runProgram(gitPath, args, { cwd, env: gitIdentity(forge.url, secrets.developerToken), signal });
  const { stdout } = await git(workDir, ['ls-remote', '--heads', remote]);
  if (stdout.trim() !== '') return;

  const checkout = mkdtempSync(join(workDir, `${name}-`));
  try {
    cpSync(join(projectRoot, 'examples', name), checkout, { recursive: true });
    localise(checkout, { forgeUrl: forge.url, registryHost: options.registryHost });
    await git(checkout, ['init', '-q', '-b', 'main']);
    await git(checkout, ['add', '.']);
    await git(checkout, ['commit', '-qm', `feat: ${name} as it runs today [skip ci]`]);
    if (name === 'myshop-api') {
      await buildFirstImage(options, checkout);
      await git(checkout, ['tag', '-a', `v${firstVersion}`, '-m', `${name} ${firstVersion}`]);
    }
    await git(checkout, ['push', '-q', remote, 'main', '--tags']);
  } finally {
    rmSync(checkout, { recursive: true, force: true });
  }
}

async function buildFirstImage(options: OrganisationOptions, checkout: string): Promise<void> {
  const { registryHost, registryClient, clock, logger, workDir, signal, gitPath, forge, secrets } = options;
  const env = gitIdentity(forge.url, secrets.developerToken);
  const { stdout } = await runProgram(gitPath, ['rev-parse', 'HEAD'], { cwd: checkout, env, signal });
  const versionFile = join(checkout, 'src', 'version.json');
  writeFileSync(versionFile, `{"version":"${firstVersion}"}\n`);
  await buildImage(
    {
      context: checkout,
      tags: [`${registryHost}/myshop-api:${firstVersion}`],
      labels: {
        'org.opencontainers.image.source': `${forge.url}/${organisation}/myshop-api`,
        'org.opencontainers.image.revision': stdout.trim(),
        'org.opencontainers.image.version': firstVersion,
      },
      push: true,
      client: registryClient,
      clock,
      logger,
      workDir,
    },
    signal,
  );
  rmSync(versionFile);
}

function gitIdentity(forgeUrl: string, token: string): Record<string, string> {
  const basic = Buffer.from(`${developer.login}:${token}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${forgeUrl}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: developer.name,
    GIT_AUTHOR_EMAIL: developer.email,
    GIT_COMMITTER_NAME: developer.name,
    GIT_COMMITTER_EMAIL: developer.email,
  };
}

interface Hosts {
  forgeUrl: string;
  registryHost: string;
}

/** The examples name the hosts of the wide world; here they become this world's. Nothing else in them changes. */
function localised(text: string, hosts: Hosts): string {
  return text
    .replaceAll('https://github.com/', `${hosts.forgeUrl}/`)
    .replaceAll('123456789012.dkr.ecr.eu-central-1.amazonaws.com', hosts.registryHost);
}

function localise(directory: string, hosts: Hosts): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const before = readFileSync(path, 'utf8');
    const after = localised(before, hosts);
    if (after !== before) writeFileSync(path, after);
  }
}

/** The root App of Apps of the organisation, as YAML. */
export function rootApplication(hosts: Hosts): string {
  const path = join(projectRoot, 'examples', 'myshop-manifests', 'argocd', 'root.yaml');
  return localised(readFileSync(path, 'utf8'), hosts);
}
