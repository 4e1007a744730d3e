import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { withPlainSwitches } from './switches.ts';

const program = new Command('x').option('--quiet');
program
  .command('app')
  .command('set <name>')
  .option('--no-validate')
  .option('--prune')
  .option('--no-prune')
  .option('--upsert')
  .option('--cascade <bool>');

const rows: [line: string, want: string][] = [
  ['app set a --validate=false', 'app set a --no-validate'],
  ['app set a --validate=true', 'app set a'],
  ['app set a --prune=false', 'app set a --no-prune'],
  ['app set a --prune=1', 'app set a --prune'],
  ['app set a --upsert=F', 'app set a'],
  ['app set a --upsert=true', 'app set a --upsert'],
  ['--quiet=true app set a', '--quiet app set a'],
  ['app set a --cascade=false', 'app set a --cascade=false'],
  ['app set a --unknown=false', 'app set a --unknown=false'],
  ['app set a --prune=maybe', 'app set a --prune=maybe'],
  ['app set -- --prune=false', 'app set -- --prune=false'],
];
for (const [line, want] of rows)
  test(`switches: ${line}`, () => assert.equal(withPlainSwitches(program, line.split(' ')).join(' '), want));
