import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { getNumber, getString } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { signalGroup, startTimeOf } from './process-identity.ts';

const pollMs = 20;

/**
 * Ends the processes that an earlier run of the agent left, found by their pid files. A pid that now belongs to another
 * process is left alone.
 */
export async function endLeftovers(podsDir: string, graceMs: number, logger: Logger): Promise<void> {
  const files = await pidFiles(podsDir);
  await Promise.all(files.map((file) => endLeftover(file, graceMs, logger)));
}

async function pidFiles(podsDir: string): Promise<string[]> {
  const pods = await readdir(podsDir).catch(() => []);
  const found: string[] = [];
  for (const pod of pods) {
    const names = await readdir(join(podsDir, pod)).catch(() => []);
    found.push(...names.filter((name) => name.endsWith('.pid')).map((name) => join(podsDir, pod, name)));
  }
  return found;
}

async function endLeftover(file: string, graceMs: number, logger: Logger): Promise<void> {
  const pid = await identify(file);
  if (pid !== undefined && signalGroup(pid, 'SIGTERM')) {
    logger.info({ pid }, 'ending a container process that an earlier run left behind');
    for (let waited = 0; waited < graceMs && signalGroup(pid, 'SIGTERM'); waited += pollMs) await delay(pollMs);
    signalGroup(pid, 'SIGKILL');
  }
  await rm(file, { force: true });
}

/** The group to end, when the file's process is still the one it was written for. */
async function identify(file: string): Promise<number | undefined> {
  let record: unknown;
  try {
    record = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    // Torn by the crash: the process was just being started and is found by nobody; its pipes are broken, so it ends.
    return undefined;
  }
  const pid = getNumber(record, 'pid');
  if (pid === undefined || pid <= 1) return undefined;
  const now = await startTimeOf(pid);
  const then = getString(record, 'startTime');
  if (then !== undefined) return now === undefined || now === then ? pid : undefined;
  // Written in the instant between start and identification: only a process older than the file can be the one.
  if (now === undefined || process.platform !== 'linux') return now === undefined ? pid : undefined;
  const [written, born] = await Promise.all([stat(file), stat(`/proc/${pid}`).catch(() => undefined)]);
  return born !== undefined && Math.abs(born.ctimeMs - written.mtimeMs) < 1000 ? pid : undefined;
}
