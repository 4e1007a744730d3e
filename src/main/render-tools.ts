import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError, messageOf } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { LocalRenderer } from '#cli/deps.ts';
import type { RepositoryAccessSource } from '#model/argocd/repository-access.ts';
import { createChartLibrary } from '#render/charts/library.ts';
import type { PluginHost } from '#render/plugin.ts';
import { loadPlugins } from '#render/plugin-manifest.ts';
import { createRenderer } from '#render/renderer.ts';
import { findProgram } from './programs.ts';
import { systemClock } from './system.ts';

const run = promisify(execFile);

const versionArguments = { helm: ['version', '--short'], kubectl: ['version', '--client'] };

/** The program with its version, which is part of every render's key; undefined when it is not installed. */
export async function renderTool(name: 'helm' | 'kubectl'): Promise<{ path: string; version: string } | undefined> {
  const found = findProgram(name);
  if (!found) return undefined;
  try {
    const { stdout } = await run(found.path, versionArguments[name], { timeout: 20_000 });
    return { path: found.path, version: stdout.trim().replaceAll('\n', ' ') };
  } catch (cause) {
    throw new AppError('tool-failed', `${found.path} does not tell its version: ${messageOf(cause)}`, {
      cause,
      hint: `install ${name} anew, or name another with SLIPWAY_${name.toUpperCase()}`,
    });
  }
}

/** The plugins of a folder, which find the programs that this process finds; none without a folder. */
export async function pluginHost(folder: string | undefined): Promise<PluginHost | undefined> {
  if (folder === undefined) return undefined;
  return { plugins: await loadPlugins(folder), searchPath: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin' };
}

/** Without an instance nothing is declared: repositories are read as anybody may. */
const publicAccess: RepositoryAccessSource = {
  find: async (url) => ({ url, type: url.startsWith('oci://') ? 'oci' : 'helm', enableOci: !url.includes('://') }),
  list: async () => [],
};

function proxyVariables(): Record<string, string> {
  const named = Object.entries(process.env).filter(([name]) => /^(?:https?|no)_proxy$/i.test(name));
  return Object.fromEntries(named.map(([name, value]) => [name, value ?? '']));
}

/** A renderer for one command, whose files are gone with it. */
export async function openRenderer(options: { plugins: string | undefined }): Promise<LocalRenderer> {
  const [helm, kubectl, plugins] = await Promise.all([
    renderTool('helm'),
    renderTool('kubectl'),
    pluginHost(options.plugins),
  ]);
  const cacheDir = await mkdtemp(join(tmpdir(), 'slipway-render-'));
  const common = { cacheDir, clock: systemClock, logger: silentLogger };
  const charts = createChartLibrary({ ...common, access: publicAccess, env: proxyVariables() });
  return {
    ...createRenderer({ ...common, helm, kubectl, plugins, charts }),
    charts,
    [Symbol.asyncDispose]: async () => {
      await charts[Symbol.asyncDispose]();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}
