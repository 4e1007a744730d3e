import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError, messageOf } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { LocalRenderer } from '#cli/deps.ts';
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

/** A renderer for one command, whose files are gone with it. */
export async function openRenderer(options: { plugins: string | undefined }): Promise<LocalRenderer> {
  const [helm, kubectl, plugins] = await Promise.all([
    renderTool('helm'),
    renderTool('kubectl'),
    pluginHost(options.plugins),
  ]);
  const cacheDir = await mkdtemp(join(tmpdir(), 'slipway-render-'));
  const renderer = createRenderer({ cacheDir, clock: systemClock, logger: silentLogger, helm, kubectl, plugins });
  return { ...renderer, [Symbol.asyncDispose]: () => rm(cacheDir, { recursive: true, force: true }) };
}
