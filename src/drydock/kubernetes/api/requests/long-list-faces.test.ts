import assert from 'node:assert/strict';
import { get } from 'node:https';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { getArray, getString } from '#base/json.ts';
import { configMap, configMaps, type TestCluster, testCluster } from '../api-fixture.test.ts';

const count = 400;
const names = Array.from({ length: count }, (_, n) => `c${String(n).padStart(4, '0')}`);
let cluster: TestCluster;
before(async () => {
  cluster = await testCluster();
  const body = (name: string) =>
    configMap(name, { text: `${name} ${'é'.repeat(1000)}` }, { half: name < 'c0200' ? '1' : '2' });
  await Promise.all(names.map((name) => cluster.send('POST', configMaps, { body: body(name) })));
});
after(() => cluster[Symbol.asyncDispose]());

const object = 'application/json';
const partial = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const rows = [
  { name: 'whole objects', accept: object, items: ['items'], at: ['metadata', 'name'] },
  { name: 'their metadata', accept: partial, items: ['items'], at: ['metadata', 'name'] },
  { name: 'a table', accept: table, items: ['rows'], at: ['object', 'metadata', 'name'] },
  {
    name: 'a table of whole objects',
    accept: table,
    query: '?includeObject=Object',
    items: ['rows'],
    at: ['object', 'metadata', 'name'],
  },
  {
    name: 'half of them',
    accept: object,
    query: '?labelSelector=half%3D2',
    items: ['items'],
    at: ['metadata', 'name'],
  },
];

interface Asked {
  ca: string;
  token: string;
  accept: string;
  encoding: string;
}

function fetchText(url: string, { ca, token, accept, encoding }: Asked): Promise<string> {
  const headers = { accept, 'accept-encoding': encoding, authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = get(url, { ca, agent: false, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve((answer.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8'));
      });
    });
    sent.once('error', reject);
  });
}

/** Everything that is there stands in the answer once, however long it is and however it is cut. */
for (const { name, accept, query = '', items, at } of rows)
  for (const encoding of ['identity', 'gzip'])
    test(`a long list says all: ${name}, ${encoding}`, async () => {
      const { caPem: ca, adminToken, listening } = cluster.server;
      const text = await fetchText(`${listening.url}${configMaps}${query}`, {
        ca,
        accept,
        encoding,
        token: adminToken,
      });
      const found = getArray(JSON.parse(text), ...items).map((item) => getString(item, ...at));
      const want = query.includes('half') ? names.slice(200) : names;
      assert.deepEqual(found, want);
    });
