import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { chooseAccess } from './repository-access.ts';

const access = (url: string, password?: string, more: Partial<RepositoryAccess> = {}): RepositoryAccess => ({
  url,
  type: 'git',
  ...(password === undefined ? {} : { username: 'bot', password }),
  ...more,
});
const template = { template: true };
const declared = [
  access('https://git.example', 'host', template),
  access('https://git.example/team', 'team', template),
  access('https://git.example/team/own.git', 'own'),
  access('https://git.example/team/open'),
  access('git@ssh.example:team', 'ssh', template),
  access('https://git.example/team/scoped', 'of-all'),
  access('https://git.example/team/scoped', 'of-red', { project: 'red' }),
  access('https://git.example/team/private', 'private', { project: 'red' }),
  access('registry.example:5000/charts', 'charts', { type: 'helm', enableOci: true, template: true }),
];

const rows: { name: string; url: string; project?: string; want: string | undefined }[] = [
  { name: 'a repository has its own, whatever the spelling', url: 'https://GIT.example/team/own', want: 'own' },
  {
    name: 'one without credentials of its own takes the longest prefix',
    url: 'https://git.example/team/open.git',
    want: 'team',
  },
  { name: 'a longer name is not below a prefix', url: 'https://git.example/team-evil/x.git', want: 'host' },
  { name: 'another port is another host', url: 'https://git.example:8443/team/own.git', want: undefined },
  { name: 'a secret for https does not travel over http', url: 'http://git.example/team/own.git', want: undefined },
  { name: 'ssh addresses in the short form', url: 'git@ssh.example:team/x.git', want: 'ssh' },
  { name: 'ssh addresses in the long form', url: 'ssh://git@ssh.example/team/x.git', want: 'ssh' },
  { name: 'an unknown host gets nothing', url: 'https://elsewhere.example/team/own.git', want: undefined },
  { name: 'the project has its own', url: 'https://git.example/team/scoped', project: 'red', want: 'of-red' },
  { name: 'another project has that of all', url: 'https://git.example/team/scoped', project: 'blue', want: 'of-all' },
  { name: 'nobody else has a project’s', url: 'https://git.example/team/private', project: 'blue', want: 'team' },
  { name: 'a registry without scheme', url: 'registry.example:5000/charts/web', want: 'charts' },
  { name: 'a registry with its scheme', url: 'oci://registry.example:5000/charts/web', want: 'charts' },
];

for (const { name, url, project, want } of rows) {
  test(`credentials: ${name}`, () => assert.equal(chooseAccess(declared, url, project).password, want));
}
