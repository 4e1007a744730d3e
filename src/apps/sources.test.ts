import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import type { CommitSha } from '#git/port.ts';
import { checkRefs, prefixedRevision } from './sources.ts';

const commit = 'a'.repeat(40) as CommitSha;
const names = ['web/1.0.0', 'web/1.4.0', 'web/2.0.0-rc.1', 'api/1.9.0', '1.8.0', 'web/latest'];
const mirror = { refs: new Map(names.map((name) => [`refs/tags/${name}`, commit])) };
const rows: { tagPrefix?: string; targetRevision?: string; asked?: string; want: string | RegExp }[] = [
  { targetRevision: '1.x', want: '1.x' },
  { want: 'HEAD' },
  { tagPrefix: 'web/', want: 'HEAD' },
  { tagPrefix: 'web/', targetRevision: '1.x', want: 'refs/tags/web/1.4.0' },
  { tagPrefix: 'api/', targetRevision: '1.x', want: 'refs/tags/api/1.9.0' },
  { tagPrefix: 'web/', targetRevision: '>=2.0.0-0', want: 'refs/tags/web/2.0.0-rc.1' },
  { tagPrefix: 'web/', targetRevision: '1.0.0', want: 'refs/tags/web/1.0.0' },
  { tagPrefix: 'web/', targetRevision: 'main', want: 'main' },
  { tagPrefix: 'web/', targetRevision: '1.x', asked: commit, want: commit },
  { tagPrefix: 'web/', targetRevision: '3.x', want: /no tag web\/\.\.\. that "3\.x" allows/ },
];

test('with a prefix, versions and constraints are of the tags that begin with it', () => {
  for (const { want, asked, ...source } of rows) {
    const look = () => prefixedRevision({ repoURL: 'https://git.example/a', ...source }, asked, mirror);
    if (typeof want === 'string') assert.equal(look(), want);
    else assert.throws(look, (error: unknown) => isAppError(error, 'not-found') && want.test(error.message));
  }
});

test('only sources in Git can be named by others', () => {
  const chart = { repoURL: 'https://charts.example', chart: 'web', targetRevision: '1.0.0', ref: 'web' };
  const user = (name: string) => ({ repoURL: 'https://git.example/a', path: 'app', helm: { valueFiles: [name] } });
  checkRefs([chart, user('values.yaml'), user('$other/values.yaml')]);
  checkRefs([{ repoURL: 'https://git.example/b', ref: 'web' }, user('$web/values.yaml')]);
  assert.throws(
    () => checkRefs([chart, user('$web/values.yaml')]),
    (error: unknown) =>
      isAppError(error, 'bad-input') && /"\$web\/values.yaml" names the source .* is web/.test(error.message),
  );
});
