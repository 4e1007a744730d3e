import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getString } from '#base/json.ts';
import { runProgram } from '#main/demo/program.ts';
import { findOrInstall } from '../debian-package.ts';
import { person } from './shared-world.ts';

const curl = findOrInstall({ packageName: 'curl', places: ['/usr/bin/curl', '/bin/curl', '/opt/homebrew/bin/curl'] });

test('plain curl reads the registry, the forge and Slipway', { skip: 'reason' in curl && curl.reason }, async () => {
  assert.ok('path' in curl);
  const me = await person();
  const { registry, forge, developer, slipway } = me.world;
  const get = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await runProgram(curl.path, ['-fsS', ...args], { signal: me.signal })).stdout);
  assert.ok(getArray(await get(`${registry.url}/v2/myshop-api/tags/list`), 'tags').includes('1.4.2'));
  const token = ['-H', `Authorization: Bearer ${developer.token}`];
  assert.equal(getString(await get(...token, `${forge.apiUrl}/user`), 'login'), developer.login);
  assert.ok(Array.isArray(getArray(await get(`${slipway.url}/api/v1/applications`), 'items')));
  const json = ['-H', 'Content-Type: application/json'];
  await assert.rejects(get('-X', 'POST', ...json, `${slipway.url}/api/v1/applications/root/sync`), /401/);
});
