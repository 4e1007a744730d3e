import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { getArray, getNumber, getString } from '#base/json.ts';
import type { BuiltinAction } from '../actions/action.ts';
import { basicBuiltins } from '../actions/builtins/basic.ts';
import { logsOf, startWorld, type World } from './forge-fixture.test.ts';

/** The application's workflow, with the registry's host as a tutorial for hosted runners writes it. */
const buildWorkflow = `name: Build and push
on:
  push:
    branches: [main]
    tags: ['v*']
permissions:
  id-token: write # needed to issue the OIDC token
  contents: read
env:
  AWS_REGION: ap-northeast-2
  ECR_REPOSITORY: myshop-api
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Set image tag
        id: meta
        run: |
          if [[ "$GITHUB_REF" == refs/tags/v* ]]; then
            echo "tag=\${GITHUB_REF#refs/tags/v}" >> $GITHUB_OUTPUT
          else
            echo "tag=main-$(git rev-parse --short HEAD)" >> $GITHUB_OUTPUT
          fi
      - name: Configure AWS credentials (OIDC)
        uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: arn:aws:iam::123456789012:role/github-actions-myshop-api-ecr-push
          aws-region: \${{ env.AWS_REGION }}
      - name: Login to ECR
        uses: aws-actions/amazon-ecr-login@v2
      - name: Build and push
        uses: docker/build-push-action@v5
        with:
          context: .
          push: true
          tags: |
            registry.example/\${{ env.ECR_REPOSITORY }}:\${{ steps.meta.outputs.tag }}
          cache-from: type=gha
          cache-to: type=gha,mode=max
      - name: Update manifest repo
        env:
          GH_TOKEN: \${{ secrets.MANIFESTS_REPO_TOKEN }}
        run: |
          gh api repos/myshop/myshop-manifests/dispatches \\
            -f event_type=update-image \\
            -F client_payload[app]=myshop-api \\
            -F client_payload[tag]=\${{ steps.meta.outputs.tag }} \\
            -F client_payload[env]=dev
`;

const updateWorkflow = `name: Update image tag
on:
  repository_dispatch:
    types: [update-image]
jobs:
  update:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Update values
        run: |
          APP=\${{ github.event.client_payload.app }}
          TAG=\${{ github.event.client_payload.tag }}
          ENV=\${{ github.event.client_payload.env }}
          yq -i ".image.tag = \\"$TAG\\"" charts/$APP/values-$ENV.yaml
      - name: Commit and push
        run: |
          git config user.name "github-actions[bot]"
          git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
          git add charts/
          git commit -m "chore: bump \${{ github.event.client_payload.app }} to \${{ github.event.client_payload.tag }} (\${{ github.event.client_payload.env }})"
          git push
`;

const ghTool = `const fields = {}; const args = process.argv.slice(4);
const put = (at, [key, ...rest], value) => rest.length ? put(at[key] ??= {}, rest, value) : (at[key] = value);
for (let i = 0; i < args.length; i += 2) { const [k, ...v] = args[i + 1].split('='); put(fields, k.split(/[[\\]]+/).filter(Boolean), v.join('=')); }
const r = await fetch(process.env.GITHUB_API_URL + '/' + process.argv[3], { method: 'POST', headers: { authorization: 'token ' + process.env.GH_TOKEN }, body: JSON.stringify(fields) });
if (!r.ok) { console.error(await r.text()); process.exit(1); }
`;

function tools(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tools-'));
  const script = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), 0o755);
  };
  writeFileSync(join(directory, 'gh.mjs'), ghTool);
  script('gh', `#!/bin/sh\nexec "${process.execPath}" "${join(directory, 'gh.mjs')}" "$@"\n`);
  script('yq', `#!/bin/sh\nv=$(printf '%s' "$2" | cut -d'"' -f2)\nsed -i "s/^  tag: .*/  tag: $v/" "$3"\n`);
  mkdirSync(join(directory, 'node'));
  return directory;
}

const calls: { uses: string; inputs: Record<string, string>; subject?: string }[] = [];
let world: World;

const record: BuiltinAction = async (context) => {
  calls.push({ uses: context.uses, inputs: context.inputs });
  return {};
};

/** Takes a token and checks it against the published keys, as a registry's trust would. */
const assumeRole: BuiltinAction = async (context, signal) => {
  const token = await context.idToken('sts.amazonaws.com', signal);
  const keys = createRemoteJWKSet(new URL(`${world.forge.url}/.well-known/jwks`));
  const { payload } = await jwtVerify(token, keys, { issuer: world.forge.url, audience: 'sts.amazonaws.com' });
  calls.push({ uses: context.uses, inputs: context.inputs, subject: String(payload.sub) });
  context.setEnv('AWS_REGION', context.inputs['aws-region'] ?? '');
  return {};
};

before(async () => {
  const directory = tools();
  world = await startWorld({
    extraPath: [directory],
    builtins: {
      ...basicBuiltins({ gitPath: 'git', node: { binDir: join(directory, 'node'), version: '24.1.0' } }),
      'aws-actions/configure-aws-credentials': assumeRole,
      'aws-actions/amazon-ecr-login': record,
      'docker/build-push-action': record,
    },
  });
  const signal = new AbortController().signal;
  await world.forge.seed.createRepository('myshop', { name: 'myshop-api' }, signal);
  await world.forge.seed.createRepository('myshop', { name: 'myshop-manifests', private: true }, signal);
  world.forge.seed.setSecret({ owner: 'myshop', repository: 'myshop-api' }, 'MANIFESTS_REPO_TOKEN', world.token);
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

test('a push runs the build, whose dispatch makes the manifest repository commit the tag', async () => {
  const manifests = await world.clone('myshop/myshop-manifests');
  const values = 'image:\n  repository: myshop-api # kept\n  tag: none\n';
  await world.commit(
    manifests,
    { '.github/workflows/update.yml': updateWorkflow, 'charts/myshop-api/values-dev.yaml': values },
    'feat: chart',
  );
  await world.git(['push', '-q', 'origin', 'HEAD:main'], manifests);
  const app = await world.clone('myshop/myshop-api');
  await world.commit(app, { '.github/workflows/ci.yml': buildWorkflow, Dockerfile: 'FROM scratch\n' }, 'feat: service');
  await world.git(['push', '-q', 'origin', 'HEAD:main'], app);

  const build = await world.run('myshop/myshop-api', { event: 'push' });
  assert.equal(getString(build, 'conclusion'), 'success', await logsOf(world, 'myshop/myshop-api', build));
  const update = await world.run('myshop/myshop-manifests', { event: 'repository_dispatch' });
  const log = await logsOf(world, 'myshop/myshop-manifests', update);
  assert.equal(getString(update, 'conclusion'), 'success', log);

  const sha = await world.git(['rev-parse', '--short', 'HEAD'], app);
  const build5 = calls.find((call) => call.uses === 'docker/build-push-action@v5');
  assert.equal(build5?.inputs['tags'], `registry.example/myshop-api:main-${sha}\n`);
  assert.equal(calls.find((call) => call.subject)?.subject, 'repo:myshop/myshop-api:ref:refs/heads/main');
  await world.git(['pull', '-q', 'origin', 'main'], manifests);
  assert.equal(
    await world.git(['show', 'HEAD:charts/myshop-api/values-dev.yaml'], manifests),
    values.replace('none', `main-${sha}`).trim(),
  );
  assert.equal(
    await world.git(['log', '-1', '--format=%an: %s'], manifests),
    `github-actions[bot]: chore: bump myshop-api to main-${sha} (dev)`,
  );
  assert.ok(!log.includes(world.token));

  const { body } = await world.api('GET', '/repos/myshop/myshop-manifests/actions/runs');
  assert.equal(getNumber(body, 'total_count'), 1, 'the push with the job token started nothing');
});

test('a tag runs the same workflow with the version without v', async () => {
  const app = await world.clone('myshop/myshop-api');
  await world.git(['tag', '-a', 'v1.5.0', '-m', 'release'], app);
  await world.git(['push', '-q', 'origin', 'v1.5.0'], app);
  const run = await world.until('the run of the tag', async () => {
    const { body } = await world.api('GET', '/repos/myshop/myshop-api/actions/runs?branch=v1.5.0&status=completed');
    return getArray(body, 'workflow_runs')[0];
  });
  assert.equal(getString(run, 'conclusion'), 'success');
  assert.equal(calls.at(-1)?.inputs['tags'], 'registry.example/myshop-api:1.5.0\n');
  assert.equal(getString(run, 'head_sha'), await world.git(['rev-parse', 'HEAD'], app));
});
