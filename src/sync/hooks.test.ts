import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deletePoliciesOf, hookRoleOf, waveOf } from './hooks.ts';

const object = (annotations: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', annotations },
});
const own = (text: string, helm?: string) =>
  object({ 'argocd.argoproj.io/hook': text, ...(helm === undefined ? {} : { 'helm.sh/hook': helm }) });
const helm = (text: string) => object({ 'helm.sh/hook': text });

const roles: [string, ReturnType<typeof object>, string][] = [
  ['no annotation', object({}), 'resource'],
  ['one type', own('PreSync'), 'PreSync'],
  ['a list', own(' PreSync , PostSync,PreSync'), 'PreSync PostSync'],
  ['Skip alone', own('Skip'), 'ignored'],
  ['Skip with others', own('Skip,PreSync'), 'PreSync'],
  ['unknown', own('Sometime'), 'ignored'],
  ['empty', own(''), 'ignored'],
  ["unknown, and Helm's", own('Sometime', 'pre-install'), 'PreSync'],
  ["Argo CD's before Helm's", own('PostSync', 'pre-install'), 'PostSync'],
  ["Skip before Helm's", own('Skip', 'pre-install'), 'ignored'],
  ['of the deletion', own('PreDelete,PostDelete'), 'PreDelete PostDelete'],
  ['of sync and deletion', own('PostDelete,PreSync'), 'PreSync PostDelete'],
  ['Helm: before', helm('pre-install,pre-upgrade'), 'PreSync'],
  ['Helm: after', helm('post-install, post-upgrade'), 'PostSync'],
  ['Helm: deletion', helm('pre-delete,post-delete'), 'PreDelete PostDelete'],
  ['Helm: a definition', helm('crd-install'), 'resource'],
  ['Helm: a definition and more', helm('crd-install,pre-install'), 'PreSync'],
  ['Helm: what has no meaning here', helm('test,pre-rollback,post-rollback,test-success'), 'ignored'],
];
for (const [name, input, want] of roles)
  test(`hook: ${name}`, () => {
    const role = hookRoleOf(input);
    assert.equal(role.kind === 'hook' ? role.types.join(' ') : role.kind, want);
  });

test('delete policies of both families together, BeforeHookCreation by default', () => {
  const policies = (mine: string, theirs: string) =>
    deletePoliciesOf(
      object({ 'argocd.argoproj.io/hook-delete-policy': mine, 'helm.sh/hook-delete-policy': theirs }),
    ).join();
  assert.equal(policies('', ''), 'BeforeHookCreation');
  assert.equal(policies('Whenever', 'never'), 'BeforeHookCreation');
  assert.equal(policies('HookSucceeded', 'hook-failed,hook-succeeded'), 'HookSucceeded,HookFailed');
  assert.equal(policies('', 'before-hook-creation'), 'BeforeHookCreation');
});

test("waves: whole numbers, else Helm's weight, else 0", () => {
  const wave = (mine: string, theirs: string) =>
    waveOf(object({ 'argocd.argoproj.io/sync-wave': mine, 'helm.sh/hook-weight': theirs }));
  assert.deepEqual(
    [wave('1', '5'), wave('-3', '5'), wave('+2', '5'), wave('one', '5'), wave(' 1', '-5'), wave('1.5', 'x')],
    [1, -3, 2, 5, -5, 0],
  );
});
