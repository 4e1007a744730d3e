import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/clock.ts';
import { RegistryFixture, sha256 } from '../../../test/registry-fixture.ts';

describe('a registry that starts', () => {
  it('removes what nothing names any more, and nothing else', async () => {
    const clock = new ManualClock(Date.now());
    await using registry = await RegistryFixture.start({ clock });
    const restart = async () => {
      await registry.close();
      await registry.open();
    };
    const status = async (repository: string, kind: string, digest: string) =>
      (await registry.send('HEAD', `/v2/${repository}/${kind}/${digest}`)).status;

    const kept = JSON.stringify(await registry.imageOf('app', 'kept'));
    await registry.pushManifest('app', '1', kept);
    const gone = JSON.stringify(await registry.imageOf('app', 'gone'));
    await registry.pushManifest('app', '2', gone);
    await registry.pushBlob('unfinished', 'a push that may still go on');
    await registry.send('DELETE', `/v2/app/manifests/${sha256(gone)}`);

    await restart();
    assert.equal(await status('unfinished', 'blobs', sha256('a push that may still go on')), 200);
    assert.equal(await status('app', 'blobs', sha256('gone')), 200);

    clock.advance(25 * 3600_000);
    await restart();
    assert.equal(await status('unfinished', 'blobs', sha256('a push that may still go on')), 404);
    assert.equal(await status('app', 'blobs', sha256('gone')), 404);
    assert.equal((await registry.send('GET', '/v2/app/manifests/1')).text, kept);
    assert.equal(await status('app', 'blobs', sha256('kept')), 200);
    assert.equal(await registry.pushBlob('app', 'gone'), sha256('gone'));
    assert.equal(await status('app', 'blobs', sha256('gone')), 200, 'what was removed can be pushed again');
  });

  it('serves what is whole when something is damaged, and removes nothing it cannot judge', async () => {
    const clock = new ManualClock(Date.now());
    await using registry = await RegistryFixture.start({ clock });
    const [good, bad] = [await registry.imageOf('app', 'good'), await registry.imageOf('app', 'bad')].map((image) =>
      JSON.stringify(image),
    );
    assert(good !== undefined && bad !== undefined);
    await registry.pushManifest('app', 'good', good);
    await registry.pushManifest('app', 'bad', bad);
    const upload = await registry.startUpload('app');
    const hex = sha256(bad).slice('sha256:'.length);
    await writeFile(join(registry.dataDir, 'blobs', 'sha256', hex.slice(0, 2), hex), '{"cut');
    await writeFile(join(registry.dataDir, 'uploads', upload.split('/').at(-1) ?? '', 'about.json'), '');
    await registry.close();
    clock.advance(25 * 3600_000);
    await registry.open();
    assert.equal((await registry.send('GET', '/v2/app/manifests/good')).text, good);
    assert.equal((await registry.send('GET', upload)).status, 404);
    assert.equal((await registry.send('GET', '/v2/app/manifests/bad')).status, 404);
    assert.equal((await registry.pushManifest('app', 'bad', bad)).status, 201);
    assert.equal((await registry.send('GET', '/v2/app/manifests/bad')).text, bad, 'mended by pushing it again');
    assert.equal((await registry.send('HEAD', `/v2/app/blobs/${sha256('bad')}`)).status, 200);
  });
});
