import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';

/** What a process group has used since it started, and what it holds now. */
export interface ProcessUsage {
  cpuMs: number;
  /** Resident memory; pages shared between processes of the group count once for each. */
  memoryBytes: number;
}

/** Linux counts processor time for programs in hundredths of a second, whatever the kernel's own tick. */
const msPerTick = 10;
const psTimeoutMs = 5000;
const psOutputLimit = 4 * 1024 * 1024;

/** Usage of the named process groups; one that has no process is absent. Throws when the system cannot be asked. */
export async function groupUsage(groups: ReadonlySet<number>): Promise<Map<number, ProcessUsage>> {
  const found = new Map<number, ProcessUsage>();
  if (groups.size === 0) return found;
  for (const { group, cpuMs, memoryBytes } of await everyProcess()) {
    if (!groups.has(group)) continue;
    const sum = found.get(group);
    found.set(group, { cpuMs: (sum?.cpuMs ?? 0) + cpuMs, memoryBytes: (sum?.memoryBytes ?? 0) + memoryBytes });
  }
  return found;
}

/** All processors of this machine since it started, and the memory that is not available. */
export function machineUsage(): ProcessUsage {
  const cpuMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { cpuMs, memoryBytes: totalmem() - freemem() };
}

interface ProcessRow extends ProcessUsage {
  group: number;
}

async function everyProcess(): Promise<ProcessRow[]> {
  if (process.platform !== 'linux') return parsePs(await runPs());
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      // A process may end between the listing and the reading.
      const texts = await Promise.all(
        ['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => undefined)),
      );
      const [stat, status] = texts;
      return stat === undefined || status === undefined ? undefined : parseProc(stat, status);
    }),
  );
  return rows.filter((row) => row !== undefined);
}

/** One process from its `stat` and `status` (proc(5)); processor time of children it has waited for counts as its own. */
export function parseProc(stat: string, status: string): ProcessRow | undefined {
  // The second field is the program's name in parentheses and may hold anything: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const group = Number(fields[2]);
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  if (!Number.isInteger(group) || !Number.isFinite(ticks)) return undefined;
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return { group, cpuMs: ticks * msPerTick, memoryBytes: Number(resident ?? 0) * 1024 };
}

/** Lines of `ps -o pgid=,rss=,time=`: `  812  20480 1-02:03:04.50`; the days, hours and hundredths may be missing. */
export function parsePs(text: string): ProcessRow[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?([\d:]+(?:\.\d+)?)\s*$/.exec(line);
    if (!match) return [];
    const [, group, kilobytes, days, clock = ''] = match;
    const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days ?? 0) * 86_400;
    return [{ group: Number(group), cpuMs: Math.round(seconds * 1000), memoryBytes: Number(kilobytes) * 1024 }];
  });
}

function runPs(): Promise<string> {
  const options = { timeout: psTimeoutMs, maxBuffer: psOutputLimit };
  return new Promise((resolve, reject) => {
    execFile('ps', ['-A', '-o', 'pgid=,rss=,time='], options, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}
