import assert from 'node:assert/strict';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/clock.ts';
import { eventually } from '../../../test/node-world.ts';
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

describe('a registry that runs', () => {
  const everyMs = 3600_000;

  it('collects now and then, and gives up uploads that nobody goes on with', async () => {
    const clock = new ManualClock(Date.now());
    await using registry = await RegistryFixture.start({ clock });
    const kept = JSON.stringify(await registry.imageOf('app', 'kept'));
    await registry.pushManifest('app', '1', kept);
    await registry.pushBlob('app', 'left over');
    const upload = await registry.startUpload('app');
    clock.advance(25 * everyMs);
    // To ask the registry would be a use, which keeps it.
    await eventually('the content to be gone', async () => !(await hasContent(registry, 'left over')));
    assert.equal((await registry.send('HEAD', `/v2/app/blobs/${sha256('left over')}`)).status, 404);
    await eventually('the upload to be gone', async () => (await registry.send('GET', upload)).status === 404);
    assert.equal((await registry.send('GET', '/v2/app/manifests/1')).text, kept);
    assert.equal((await registry.send('HEAD', `/v2/app/blobs/${sha256('kept')}`)).status, 200);
  });

  it('keeps what a client asked for or sent within the last day, however old it is', async () => {
    const clock = new ManualClock(Date.now());
    await using registry = await RegistryFixture.start({ clock });
    const image = await registry.imageOf('app', 'layer');
    const text = JSON.stringify(image);
    await registry.pushBlob('app', 'nobody asks for it');
    clock.advance(everyMs * 20);
    for (const digest of digestsOf(image))
      assert.equal((await registry.send('HEAD', `/v2/app/blobs/${digest}`)).status, 200);
    const upload = await registry.startUpload('app');
    clock.advance(everyMs * 12);
    await eventually('the content to be gone', async () => !(await hasContent(registry, 'nobody asks for it')));
    assert.equal((await registry.send('GET', upload)).status, 204);
    assert.equal((await registry.pushManifest('app', '1', text)).status, 201, 'the client need not send it again');
    assert.equal((await registry.send('GET', `/v2/app/blobs/${sha256('layer')}`)).text, 'layer');
  });

  it('never takes a part from a manifest that was taken, while pushes and collections run at once', async () => {
    await using registry = await RegistryFixture.start({
      limits: { uploadLifetimeMs: 400, garbageIntervalMs: 1 },
    });
    const push = async (name: string): Promise<string[]> => {
      const taken: string[] = [];
      for (let at = 0; at < 12; at += 1) {
        // The same few layers again and again: each is garbage between two pushes.
        const image = JSON.stringify(await registry.imageOf(name, `layer ${at % 2}`));
        const { status } = await registry.pushManifest(name, `${at}`, image);
        if (status === 201) taken.push(image);
        assert.ok(status === 201 || status === 400, `${status}`);
        if (status === 201 && at % 3 === 0) await registry.send('DELETE', `/v2/${name}/manifests/${sha256(image)}`);
      }
      return taken;
    };
    const all = await Promise.all(['a', 'b', 'c'].map(push));
    assert.ok(all.flat().length > 0);
    for (const name of ['a', 'b', 'c'])
      for (const tag of JSON.parse((await registry.send('GET', `/v2/${name}/tags/list`)).text).tags ?? []) {
        const manifest = await registry.send('GET', `/v2/${name}/manifests/${tag}`);
        assert.equal(manifest.status, 200);
        for (const digest of digestsOf(JSON.parse(manifest.text)))
          assert.equal((await registry.send('GET', `/v2/${name}/blobs/${digest}`)).status, 200);
      }
  });
});

function digestsOf(image: object): string[] {
  return [...JSON.stringify(image).matchAll(/sha256:[0-9a-f]{64}/g)].map(([digest]) => digest);
}

async function hasContent(registry: RegistryFixture, content: string): Promise<boolean> {
  const hex = sha256(content).slice('sha256:'.length);
  return await access(join(registry.dataDir, 'blobs', 'sha256', hex.slice(0, 2), hex)).then(
    () => true,
    () => false,
  );
}
