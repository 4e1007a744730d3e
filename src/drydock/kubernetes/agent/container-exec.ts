import { spawn } from 'node:child_process';
import { messageOf } from '#base/errors.ts';
import { resolveCommand } from './command.ts';
import type { PreparedContainer } from './container-start.ts';
import type { ProbeOutcome } from './probe.ts';
import { signalGroup } from './process-identity.ts';

const outputLimit = 10 * 1024;

/** Runs a command beside a container, with its variables and directory. Exit code 0 is success. */
export async function execInContainer(
  container: PreparedContainer,
  command: string[],
  options: { timeoutMs: number; hostPath: string },
): Promise<ProbeOutcome> {
  try {
    const resolved = await resolveCommand({
      command,
      args: [],
      workingDir: undefined,
      config: container.image.config,
      root: container.root,
      path: container.path,
      hostPath: options.hostPath,
    });
    return await run({ ...resolved, cwd: container.cwd, env: container.env }, options.timeoutMs);
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function run(
  input: { file: string; args: string[]; cwd: string; env: Record<string, string> },
  timeoutMs: number,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const child = spawn(input.file, input.args, {
      cwd: input.cwd,
      env: input.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      if (output.length < outputLimit) output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      resolve({ ok: false, message: `command timed out after ${timeoutMs / 1000}s` });
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ ok: false, message: messageOf(error) });
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      resolve({ ok: code === 0, message: output.slice(0, outputLimit) });
    });
  });
}
