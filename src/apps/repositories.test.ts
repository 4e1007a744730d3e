import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseCredentials } from './repositories.ts';

const credentials = (password: string) => ({ username: 'bot', password });
const entries = [
  { type: 'repo-creds', url: 'https://git.example', credentials: credentials('host') },
  { type: 'repo-creds', url: 'https://git.example/team', credentials: credentials('team') },
  { type: 'repository', url: 'https://git.example/team/own.git', credentials: credentials('own') },
  { type: 'repository', url: 'https://git.example/team/open', credentials: undefined },
  { type: 'repo-creds', url: 'git@ssh.example:team', credentials: credentials('ssh') },
];

const rows: { name: string; url: string; want: string | undefined }[] = [
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
  { name: 'an unknown host gets nothing', url: 'https://elsewhere.example/team/own.git', want: undefined },
];

for (const { name, url, want } of rows) {
  test(`credentials: ${name}`, () => assert.equal(chooseCredentials(entries, url)?.password, want));
}
