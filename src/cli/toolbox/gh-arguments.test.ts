import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGhApi } from './gh-arguments.ts';

const dispatch = ['api', 'repos/o/r/dispatches', '-f', 'event_type=update-image'];

const rows = [
  {
    name: 'nested fields make a POST',
    args: [...dispatch, '-F', 'client_payload[app]=shop', '-F', 'client_payload[tag]=main-0a1b2c3'],
    want: {
      method: 'POST',
      path: 'repos/o/r/dispatches',
      headers: {},
      body: { event_type: 'update-image', client_payload: { app: 'shop', tag: 'main-0a1b2c3' } },
    },
  },
  {
    name: '-F converts, -f does not',
    args: ['api', '/x', '-F', 'n=7', '-F', 'b=true', '-F', 'z=null', '-f', 's=7', '-F', 'v=1.5.0'],
    want: { method: 'POST', path: 'x', headers: {}, body: { n: 7, b: true, z: null, s: '7', v: '1.5.0' } },
  },
  {
    name: 'lists, headers and a method',
    args: ['api', 'x', '-X', 'put', '-H', 'Accept: text/plain', '-f', 'l[]=a', '-f', 'l[]=b'],
    want: { method: 'PUT', path: 'x', headers: { accept: 'text/plain' }, body: { l: ['a', 'b'] } },
  },
  {
    name: 'no field is a GET',
    args: ['api', 'user'],
    want: { method: 'GET', path: 'user', headers: {}, body: undefined },
  },
];

for (const { name, args, want } of rows) test(`gh api: ${name}`, () => assert.deepEqual(parseGhApi(args), want));

const refused = [
  { args: ['pr', 'list'], message: /only "gh api"/ },
  { args: ['api'], message: /path is missing/ },
  { args: ['api', 'x', '-f'], message: /-f needs a value/ },
  { args: ['api', 'x', '--jq', '.a'], message: /--jq is not provided/ },
  { args: ['api', 'x', '-f', 'nothing'], message: /key=value/ },
];

for (const { args, message } of refused) {
  test(`gh ${args.join(' ')} is refused`, () => assert.throws(() => parseGhApi(args), message));
}
