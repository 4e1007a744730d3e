import { readFileSync } from 'node:fs';

/** What the kernel says of a process. Linux only: elsewhere every number is undefined. */
export class ProcessMeter {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Milliseconds of CPU, user and system, since it began (100 ticks a second). */
  cpuMs(): number | undefined {
    const fields = this.#read('stat')
      ?.replace(/^.*\) /s, '')
      .split(' ');
    return fields && (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Megabytes resident now and at most. */
  memory(): { rssMb: number; peakMb: number } | undefined {
    const status = this.#read('status');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status ?? '')?.[1]) / 1024;
    return status === undefined
      ? undefined
      : { rssMb: Math.round(field('VmRSS') * 10) / 10, peakMb: Math.round(field('VmHWM') * 10) / 10 };
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(`/proc/${this.#pid}/${name}`, 'utf8');
    } catch {
      return undefined;
    }
  }
}
