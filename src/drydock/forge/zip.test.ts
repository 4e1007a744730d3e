import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zipOf } from './zip.ts';

/** Lists names and contents with the reader of another implementation. */
const reader = `
const yauzl = require('yauzl');
yauzl.open(process.argv[1], { lazyEntries: true }, (error, zip) => {
  if (error) throw error;
  const read = [];
  zip.on('entry', (entry) => zip.openReadStream(entry, (failed, stream) => {
    if (failed) throw failed;
    let text = '';
    stream.on('data', (chunk) => { text += chunk; });
    stream.on('end', () => { read.push([entry.fileName, text]); zip.readEntry(); });
  }));
  zip.on('end', () => process.stdout.write(JSON.stringify(read)));
  zip.readEntry();
});
`;

test('another program reads the archive', () => {
  const entries: [name: string, text: string][] = [
    ['1_build.txt', 'hello\n'],
    ['größe/2.txt', 'x'.repeat(70_000)],
    ['empty', ''],
  ];
  const directory = mkdtempSync(join(tmpdir(), 'zip-'));
  const file = join(directory, 'a.zip');
  writeFileSync(file, zipOf(entries.map(([name, text]) => ({ name, content: Buffer.from(text) }))));
  const args = ['--input-type=commonjs', '-e', reader, file];
  const options = { cwd: import.meta.dirname, encoding: 'utf8', maxBuffer: 1e7 } as const;
  assert.deepEqual(JSON.parse(execFileSync(process.execPath, args, options)), entries);
  rmSync(directory, { recursive: true });
});
