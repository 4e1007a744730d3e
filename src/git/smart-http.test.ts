import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetLine, parsePackets } from './pkt-line.ts';
import { parseLsRemote } from './refs.ts';
import { parseLsRefs, parsePack, parseReport } from './smart-http.ts';

const a = 'a'.repeat(40);
const b = 'b'.repeat(40);
const line = (text: string) => packetLine(`${text}\n`);

function read(text: string) {
  const packets = parsePackets(Buffer.from(text));
  return packets && parseLsRefs(packets);
}

test('parseLsRefs', async (t) => {
  const head = line(`${a} HEAD symref-target:refs/heads/main`);
  const whole = `${head}${line(`${a} refs/heads/main`)}${line(`${b} refs/tags/v1`)}${line(`${a} refs/pull/1/head`)}`;
  const refs = new Map([
    ['refs/heads/main', a],
    ['refs/tags/v1', b],
  ]);
  const cases = [
    { name: 'branches and tags', text: `${whole}0000`, want: { refs, head: 'refs/heads/main' } },
    { name: 'an empty repository', text: '0000', want: { refs: new Map(), head: undefined } },
    {
      name: 'a branch without a commit',
      text: `${line('unborn HEAD symref-target:refs/heads/main')}0000`,
      want: { refs: new Map(), head: 'refs/heads/main' },
    },
    { name: 'cut off', text: whole, want: undefined },
    { name: 'cut inside a line', text: whole.slice(0, -3), want: undefined },
    { name: 'an error', text: `${line('ERR no such repository')}0000`, want: undefined },
    { name: 'not the protocol', text: '<html></html>', want: undefined },
    { name: 'nothing', text: '', want: undefined },
  ];
  for (const { name, text, want } of cases) await t.test(name, () => assert.deepEqual(read(text), want));
});

test('parseLsRemote leaves out what tags point at', () => {
  const text = `ref: refs/heads/main\tHEAD\n${a}\tHEAD\n${a}\trefs/heads/main\n${b}\trefs/tags/v1\n${a}\trefs/tags/v1^{}\n`;
  const refs = new Map([
    ['refs/heads/main', a],
    ['refs/tags/v1', b],
  ]);
  assert.deepEqual(parseLsRemote(text), { refs, head: 'refs/heads/main' });
});

test('parsePack', async (t) => {
  const pack = `${packetLine('\x01PA')}${packetLine('\x02working\n')}${packetLine('\x01CK')}`;
  const section = line('packfile');
  const cases = [
    { name: 'data between progress', text: `${section}${pack}0000`, want: 'PACK' },
    { name: 'after another section', text: `${line('acknowledgments')}0001${section}${pack}0000`, want: 'PACK' },
    {
      name: 'an error',
      text: `${section}${packetLine('\x01PA')}${packetLine('\x03out of disk')}0000`,
      want: undefined,
    },
    { name: 'cut off', text: `${section}${pack}`, want: undefined },
    { name: 'no pack', text: '0000', want: undefined },
    { name: 'not packets', text: 'hello', want: undefined },
    { name: 'a length beyond the end', text: '00ffx', want: undefined },
  ];
  for (const { name, text, want } of cases) {
    await t.test(name, () => {
      const packets = parsePackets(Buffer.from(text, 'latin1'));
      assert.equal(packets && parsePack(packets)?.toString(), want);
    });
  }
});

test('parseReport', async (t) => {
  const ref = 'refs/heads/main';
  const cases = [
    { name: 'moved', text: `${line('unpack ok')}${line(`ok ${ref}`)}0000`, want: 'moved' },
    { name: 'a lock', text: `${line('unpack ok')}${line(`ng ${ref} failed to update ref`)}0000`, want: 'lost race' },
    { name: 'a hook', text: `${line('unpack ok')}${line(`ng ${ref} pre-receive hook declined`)}0000`, want: undefined },
    { name: 'another ref', text: `${line('unpack ok')}${line('ok refs/heads/other')}0000`, want: undefined },
    { name: 'a pack that is refused', text: `${line('unpack index-pack abnormal exit')}0000`, want: undefined },
    { name: 'cut off', text: `${line('unpack ok')}${line(`ok ${ref}`)}`, want: undefined },
    { name: 'nothing', text: '', want: undefined },
  ];
  for (const { name, text, want } of cases) {
    await t.test(name, () => {
      const packets = parsePackets(Buffer.from(text));
      assert.equal(packets && parseReport(packets, ref), want);
    });
  }
});
