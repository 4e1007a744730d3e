import assert from 'node:assert/strict';
import type { Programs, Ran } from '../suite/programs.ts';

export type ClientName = 'kubectl' | 'helm';

/** One client program in one version, at work in a namespace of its own. */
export class Client {
  readonly name: ClientName;
  readonly namespace: string;
  /** `1.33`, `4.1`. */
  readonly version: string;
  readonly #programs: Programs;

  constructor(
    programs: Programs,
    { name, namespace, version }: { name: ClientName; namespace: string; version: string },
  ) {
    this.#programs = programs;
    this.name = name;
    this.namespace = namespace;
    this.version = version;
  }

  run(args: readonly string[], input?: string): Promise<Ran> {
    return this.#programs[this.name](['--namespace', this.namespace, ...args], input);
  }

  /** What it printed; fails when it failed. */
  async ok(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await this.run(args, input);
    assert.equal(code, 0, `${args.join(' ')}: ${err || out}`);
    return out;
  }

  /** What it complained of; fails when it did not fail. */
  async fails(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await this.run(args, input);
    assert.notEqual(code, 0, `${args.join(' ')} did not fail: ${out}`);
    return err + out;
  }

  file(name: string, text: string): string {
    return this.#programs.file(`${this.namespace}/${name}`, text);
  }
}

export interface Step {
  name: string;
  run(client: Client): Promise<void>;
}

export interface StepsRun {
  passed: string[];
  failed: { step: string; why: string }[];
}

/** Every step in order; later ones stand on earlier ones, and run in spite of them. */
export async function runSteps(client: Client, steps: readonly Step[]): Promise<StepsRun> {
  const passed: string[] = [];
  const failed: { step: string; why: string }[] = [];
  for (const step of steps) {
    try {
      await step.run(client);
      passed.push(step.name);
    } catch (error) {
      const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      failed.push({ step: step.name, why: why.slice(0, 300) });
    }
  }
  return { passed, failed };
}
