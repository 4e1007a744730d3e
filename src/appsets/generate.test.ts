import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '#base/errors.ts';
import { getString, type JsonObject } from '#base/json.ts';
import type { CommitSha, GitMirror, TreeEntry } from '#git/port.ts';
import { parseApplicationSet } from '#model/argocd/application-set.ts';
import { generateApplications } from './generate.ts';
import { ListingMemory } from './listing-memory.ts';
import type { ClusterEntry, GeneratorSources } from './port.ts';
import { requeueAfterMs } from './requeue.ts';

const signal = AbortSignal.any([]);

function mirror(files: Record<string, string>): GitMirror {
  const entries: TreeEntry[] = Object.keys(files)
    .sort()
    .map((path) => ({ path, mode: '100644', type: 'blob', oid: path }));
  const part = {
    resolve: async () => 'commit' as CommitSha,
    listFiles: async () => entries,
    readFile: async (_commit: CommitSha, path: string) => Buffer.from(files[path] ?? ''),
  };
  return part as unknown as GitMirror;
}

const clusters: ClusterEntry[] = [
  {
    name: 'Dev_1',
    server: 'https://dev',
    project: 'p',
    labels: { env: 'dev', 'a.b/c': 'x' },
    annotations: { note: 'n' },
  },
  { name: 'prod', server: 'https://prod', project: '', labels: { env: 'prod' }, annotations: {} },
];

function sources(files: Record<string, string> = {}, more: Partial<GeneratorSources> = {}): GeneratorSources {
  return {
    clock: { now: () => 0 },
    entropy: { bytes: (size) => Buffer.alloc(size), uuid: () => 'id', fraction: () => 0 },
    clusters: () => clusters,
    repository: async () => mirror(files),
    listings: new ListingMemory(),
    configMap: () => undefined,
    secret: async () => undefined,
    listByPlural: async () => [],
    connect: () => ({ fetch: async () => new Response('[]'), async [Symbol.asyncDispose]() {} }),
    configMapEntry: async () => undefined,
    githubAppToken: async () => 'app-token',
    scm: { enabled: true, allowed: [], strictTokenRef: false },
    instanceNamespace: 'argocd',
    settings: { newGitFileGlobbing: false, hiddenDirectories: false },
    ...more,
  };
}

interface Row {
  name: string;
  spec: JsonObject;
  files?: Record<string, string>;
  sources?: Partial<GeneratorSources>;
  namespace?: string;
  /** `name|label` of each Application. */
  want: string[] | RegExp;
}

/** Shows parameters by the name and a label of what they make. */
function showing(name: string, shown = ''): JsonObject {
  const metadata = { name, ...(shown === '' ? {} : { labels: { shown } }) };
  return { metadata, spec: { project: 'default', source: { repoURL: 'r' }, destination: {} } };
}

function go(generators: JsonObject[], name: string, shown = '', options: string[] = []): JsonObject {
  return { goTemplate: true, goTemplateOptions: options, generators, template: showing(name, shown) };
}

function fast(generators: JsonObject[], name: string, shown = ''): JsonObject {
  return { generators, template: showing(name, shown) };
}

const list = (...elements: JsonObject[]): JsonObject => ({ list: { elements } });
const git = (more: JsonObject): JsonObject => ({ git: { repoURL: 'https://h/r', revision: 'HEAD', ...more } });
const tree = {
  'README.md': '',
  'apps/one/cm.yaml': '',
  'apps/one/deep/x.yaml': '',
  'apps/Two_2/cm.yaml': '',
  'apps/.hidden/x': '',
  'config/dev.yaml': 'name: dev\nport: 1000000\ntags: [a, b]\nnested: {deep: yes}\n',
  'config/more/list.json': '[{"name":"x","n":1.5},{"name":"y"}]',
};

const rows: Row[] = [
  {
    name: 'list, flat',
    spec: fast([list({ a: 'x', values: { k: 'v' } })], '{{a}}', '{{ values.k }}-{{unknown}}'),
    want: ['x|v-{{unknown}}'],
  },
  { name: 'list, flat, not a text', spec: fast([list({ a: 1 })], '{{a}}'), want: /error parsing value of a as string/ },
  {
    name: 'list, go',
    spec: go([list({ a: { b: [1, 2.5] }, on: true })], 'n{{ index .a.b 1 }}', '{{.on}}{{.none}}'),
    want: ['n2.5|true<no value>'],
  },
  {
    name: 'list, missing key',
    spec: go([list({ a: 1 })], '{{.none}}', '', ['missingkey=error']),
    want: /map has no entry for key "none"/,
  },
  {
    name: 'elementsYaml by the one before',
    spec: go(
      [
        {
          matrix: {
            generators: [list({ all: [{ n: 'a' }, { n: 'b' }] }), { list: { elementsYaml: '{{ .all | toJson }}' } }],
          },
        },
      ],
      '{{.n}}',
    ),
    want: ['a|', 'b|'],
  },
  {
    name: 'clusters, all',
    spec: fast(
      [{ clusters: {} }],
      '{{nameNormalized}}',
      '{{server}} {{project}} {{metadata.labels.env}} {{metadata.annotations.note}}',
    ),
    want: [
      'dev-1|https://dev p dev n',
      'prod|https://prod  prod {{metadata.annotations.note}}',
      'in-cluster|https://kubernetes.default.svc  {{metadata.labels.env}} {{metadata.annotations.note}}',
    ],
  },
  {
    name: 'clusters, chosen',
    spec: go(
      [
        {
          clusters: {
            selector: { matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }] },
            values: { at: '{{ .name }}-{{ .metadata.labels.env }}' },
          },
        },
      ],
      '{{.name}}',
      '{{.values.at}}',
    ),
    want: ['prod|prod-prod'],
  },
  {
    name: 'clusters, flat list',
    spec: go([{ clusters: { flatList: true } }], 'all', '{{ range .clusters }}{{ .name }} {{ end }}'),
    want: ['all|Dev_1 prod in-cluster '],
  },
  {
    name: 'folders, flat',
    spec: fast(
      [git({ directories: [{ path: 'apps/*' }, { path: 'apps/one', exclude: true }] })],
      '{{path.basenameNormalized}}',
      '{{path}} {{path[0]}} {{path.basename}}',
    ),
    files: tree,
    want: ['two-2|apps/Two_2 apps Two_2'],
  },
  {
    name: 'folders, go, prefixed, with values',
    spec: go(
      [git({ directories: [{ path: 'apps/*/*' }], pathParamPrefix: 'p', values: { v: '{{.p.path.basename}}!' } })],
      '{{.p.path.basename}}',
      '{{.p.path.path}} {{ index .p.path.segments 1 }} {{.values.v}}',
    ),
    files: tree,
    want: ['deep|apps/one/deep one deep!'],
  },
  {
    name: 'folders, a star stays in its part, and the root is none',
    spec: fast([git({ directories: [{ path: '*' }] })], '{{path}}'),
    files: tree,
    want: ['apps|', 'config|'],
  },
  {
    name: 'hidden folders when asked',
    spec: fast([git({ directories: [{ path: 'apps/.*' }] })], 'x', '{{path}}'),
    files: tree,
    sources: { settings: { newGitFileGlobbing: false, hiddenDirectories: true } },
    want: ['x|apps/.hidden'],
  },
  {
    name: 'files, flat',
    spec: fast(
      [git({ files: [{ path: 'config/dev.yaml' }] })],
      '{{name}}',
      '{{port}} {{tags.1}} {{nested.deep}} {{path}} {{path.filename}} {{path.filenameNormalized}}',
    ),
    files: tree,
    want: ['dev|1e+06 b true config dev.yaml dev.yaml'],
  },
  {
    name: 'files, a star crosses folders, lists give several',
    spec: go(
      [git({ files: [{ path: 'config/*' }, { path: 'config/d*', exclude: true }] })],
      '{{.name}}',
      '{{.path.path}}/{{.path.filename}} {{.n}}',
    ),
    files: tree,
    want: ['x|config/more/list.json 1.5', 'y|config/more/list.json <no value>'],
  },
  {
    name: 'files, new globbing stays within',
    spec: go([git({ files: [{ path: 'config/*' }] })], '{{.name}}'),
    files: tree,
    sources: { settings: { newGitFileGlobbing: true, hiddenDirectories: false } },
    want: ['dev|'],
  },
  {
    name: 'files, not YAML',
    spec: go([git({ files: [{ path: 'bad' }] })], 'x'),
    files: { bad: 'just text' },
    want: /unable to process file 'bad'/,
  },
  { name: 'git without items', spec: go([git({})], 'x'), want: /neither directories nor files/ },
  {
    name: 'matrix, flat',
    spec: fast(
      [{ matrix: { generators: [list({ a: '1' }, { a: '2' }), list({ b: 'x' }, { b: 'y' })] } }],
      '{{a}}{{b}}',
    ),
    want: ['1x|', '1y|', '2x|', '2y|'],
  },
  {
    name: 'matrix, flat, conflict',
    spec: fast([{ matrix: { generators: [list({ a: '1' }), list({ a: '2' })] } }], '{{a}}'),
    want: /duplicate key a with different value, a: 1 ,b: 2/,
  },
  {
    name: 'matrix, go, the first wins',
    spec: go(
      [{ matrix: { generators: [list({ a: { x: 1 } }), list({ a: { x: 2, y: 3 }, b: 'b' })] } }],
      '{{.b}}',
      '{{.a.x}}{{.a.y}}',
    ),
    want: ['b|13'],
  },
  {
    name: 'matrix, the second knows the first',
    spec: go(
      [
        {
          matrix: {
            generators: [
              list({ dir: 'apps' }),
              git({ directories: [{ path: '{{.dir}}/*' }], values: { first: '{{.dir}}', own: '{{.path.basename}}' } }),
            ],
          },
        },
      ],
      '{{.path.basenameNormalized}}',
      '{{.values.first}}:{{.values.own}}',
    ),
    files: tree,
    want: ['two-2|apps:Two_2', 'one|apps:one'],
  },
  {
    name: 'matrix of three',
    spec: go([{ matrix: { generators: [list({}), list({}), list({})] } }], 'x'),
    want: /Matrix support only two/,
  },
  {
    name: 'a matrix in a merge in a matrix',
    spec: fast(
      [
        {
          matrix: {
            generators: [
              list({ a: '1' }),
              {
                merge: {
                  mergeKeys: ['b'],
                  generators: [{ matrix: { generators: [list({}), list({})] } }, list({ b: 'x' })],
                },
              },
            ],
          },
        },
      ],
      'x',
    ),
    want: /nested only once/,
  },
  {
    name: 'two kinds in one child',
    spec: fast([{ matrix: { generators: [{ ...list({}), clusters: {} }, list({})] } }], 'x'),
    want: /more than one generator/,
  },
  {
    name: 'merge, flat',
    spec: fast(
      [
        {
          merge: {
            mergeKeys: ['id'],
            generators: [
              list({ id: '1', v: 'a' }, { id: '2', v: 'b' }),
              list({ id: '2', v: 'c' }, { id: '3', v: 'd' }),
            ],
          },
        },
      ],
      'n{{id}}',
      '{{v}}',
    ),
    want: ['n1|a', 'n2|c'],
  },
  {
    name: 'merge, go, deep',
    spec: go(
      [
        {
          merge: { mergeKeys: ['id'], generators: [list({ id: 1, m: { x: 1, y: 1 } }), list({ id: 1, m: { y: 2 } })] },
        },
      ],
      'n{{.id}}',
      '{{.m.x}}{{.m.y}}',
    ),
    want: ['n1|12'],
  },
  {
    name: 'merge, not unique',
    spec: fast([{ merge: { mergeKeys: ['id'], generators: [list({ id: '1' }, { id: '1' }), list({})] } }], 'x'),
    want: /Duplicate key was \{"id":"1"\}/,
  },
  {
    name: 'merge without keys',
    spec: fast([{ merge: { generators: [list({}), list({})] } }], 'x'),
    want: /no merge keys/,
  },
  {
    name: 'selector over flattened values',
    spec: go(
      [
        {
          ...list({ n: 'a', values: { env: 'dev' } }, { n: 'b', values: { env: 'with space' } }),
          selector: { matchLabels: { 'values.env': 'with space' } },
        },
      ],
      '{{.n}}',
    ),
    want: ['b|'],
  },
  {
    name: 'selector of a child',
    spec: go(
      [
        {
          matrix: {
            generators: [
              {
                ...list({ n: 'a' }, { n: 'b' }),
                selector: { matchExpressions: [{ key: 'n', operator: 'NotIn', values: ['a'] }] },
              },
              list({ m: 'c' }),
            ],
          },
        },
      ],
      '{{.n}}{{.m}}',
    ),
    want: ['bc|'],
  },
  { name: 'an unknown generator', spec: go([{ lists: {} }], 'x'), want: /contains unrecognized generators: lists/ },
  {
    name: 'decisions',
    spec: go(
      [{ clusterDecisionResource: { configMapRef: 'c', name: 'd', values: { k: '{{.x}}' } } }],
      '{{.name}}',
      '{{.server}} {{.extra}} {{.values.k}}',
    ),
    sources: {
      configMap: () => ({ apiVersion: 'g/v1', kind: 'ducks', matchKey: 'clusterName', statusListKey: 'decisions' }),
      listByPlural: async () => [
        {
          apiVersion: 'g/v1',
          kind: 'Duck',
          metadata: { name: 'd' },
          status: { decisions: [{ clusterName: 'prod', extra: 1 }, { clusterName: 'gone' }] },
        },
      ],
    },
    want: ['prod|https://prod 1 {{.x}}'],
  },
  {
    name: 'decisions by both',
    spec: go(
      [{ clusterDecisionResource: { configMapRef: 'c', name: 'd', labelSelector: { matchLabels: { a: 'b' } } } }],
      'x',
    ),
    sources: { configMap: () => ({ apiVersion: 'g/v1', kind: 'ducks', matchKey: 'n' }) },
    want: /problem with the definition/,
  },
  {
    name: 'keys are templates too',
    spec: {
      ...fast([list({ k: 'key' })], 'x'),
      template: { metadata: { name: 'x', labels: { 'a-{{k}}': 'v', shown: 's' } }, spec: {} },
    },
    want: ['x|s'],
  },
];

test('generators give what Argo CD gives', async () => {
  for (const row of rows) {
    const metadata = { name: 'set', namespace: row.namespace ?? 'argocd' };
    const object = { apiVersion: 'argoproj.io/v1alpha1', kind: 'ApplicationSet', metadata, spec: row.spec };
    const { set, problems } = parseApplicationSet(object);
    assert.deepEqual(problems, [], row.name);
    const { applications, error } = await generateApplications(set, sources(row.files, row.sources), signal);
    if (row.want instanceof RegExp) {
      assert.match(error ? messageOf(error.cause) : `no error: ${JSON.stringify(applications)}`, row.want, row.name);
      assert.deepEqual(applications, [], row.name);
      continue;
    }
    assert.equal(error && messageOf(error.cause), undefined, row.name);
    const shown = applications.map(
      (one) => `${getString(one, 'metadata', 'name')}|${getString(one, 'metadata', 'labels', 'shown') ?? ''}`,
    );
    assert.deepEqual(shown, row.want, row.name);
  }
});

test('how soon generators are asked again', () => {
  const table: [JsonObject[], number | undefined][] = [
    [[{ list: {} }, { clusters: {} }], undefined],
    [[{ git: {} }], 180_000],
    [[{ git: { requeueAfterSeconds: 20 } }, { pullRequest: {} }], 20_000],
    [[{ scmProvider: {} }], 1_800_000],
    [[{ matrix: { generators: [{ list: {} }, { merge: { generators: [{ git: {} }, { plugin: {} }] } }] } }], 180_000],
  ];
  for (const [generators, want] of table) assert.equal(requeueAfterMs(generators), want);
  assert.equal(requeueAfterMs([{ matrix: { generators: [{ list: {} }, { git: {} }] } }], 5000), 5000);
});
