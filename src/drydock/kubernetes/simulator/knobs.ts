import { parseQuantity } from '../types/quantity.ts';
import { parseDuration } from './duration.ts';

/** How one simulated container behaves; all times in milliseconds. Undefined is the good case. */
export interface Knobs {
  /** How long after the pod's start pulls fail; Infinity for ever. */
  pullFailsForMs: number;
  startTakesMs: number;
  readyAfterMs: number;
  neverReady: boolean;
  unreadyFromMs: number | undefined;
  unreadyForMs: number;
  crashAfterMs: number | undefined;
  oomAfterMs: number | undefined;
  /** How many runs end badly before the container stays good. */
  crashes: number;
  runsForMs: number | undefined;
  exitCode: number | undefined;
  stopTakesMs: number;
  /** What it is said to use; what it requests when undefined. */
  cpuNanoCores: number | undefined;
  memoryBytes: number | undefined;
  log: string | undefined;
}

export const goodKnobs: Knobs = {
  pullFailsForMs: 0,
  startTakesMs: 0,
  readyAfterMs: 0,
  neverReady: false,
  unreadyFromMs: undefined,
  unreadyForMs: Number.POSITIVE_INFINITY,
  crashAfterMs: undefined,
  oomAfterMs: undefined,
  crashes: Number.POSITIVE_INFINITY,
  runsForMs: undefined,
  exitCode: undefined,
  stopTakesMs: 0,
  cpuNanoCores: undefined,
  memoryBytes: undefined,
  log: undefined,
};

export const knobPrefix = 'simulator.drydock.dev/';

interface KnobKind {
  /** For people: what may be written. */
  value: string;
  does: string;
  /** Undefined for a text that is no such value. */
  read(text: string): Partial<Knobs> | undefined;
}

/** Every knob by its name; the guide's table shows the same. */
export const knobTable: Record<string, KnobKind> = {
  'image-pull-fails': {
    value: '`true` or a duration',
    does: 'the image cannot be pulled, for ever or for that long after the pod came: ErrImagePull, ImagePullBackOff',
    read: (text) =>
      readBoolean(text, { pullFailsForMs: Number.POSITIVE_INFINITY }) ??
      readDuration(text, (ms) => ({ pullFailsForMs: ms })),
  },
  'start-takes': {
    value: 'a duration',
    does: 'ContainerCreating lasts that long',
    read: (text) => readDuration(text, (ms) => ({ startTakesMs: ms })),
  },
  'ready-after': {
    value: 'a duration',
    does: 'readiness comes that long after the start, whatever the probe says',
    read: (text) => readDuration(text, (ms) => ({ readyAfterMs: ms })),
  },
  'never-ready': {
    value: '`true`',
    does: 'the container runs and never becomes ready',
    read: (text) => readBoolean(text, { neverReady: true }),
  },
  'unready-from': {
    value: 'a duration',
    does: 'the readiness probe fails from then on, counted from the container’s start',
    read: (text) => readDuration(text, (ms) => ({ unreadyFromMs: ms })),
  },
  'unready-for': {
    value: 'a duration',
    does: 'with `unready-from`: how long it fails; for good without',
    read: (text) => readDuration(text, (ms) => ({ unreadyForMs: ms })),
  },
  'crash-after': {
    value: 'a duration',
    does: 'the container exits that long after its start, with `exit-code` or 1: CrashLoopBackOff',
    read: (text) => readDuration(text, (ms) => ({ crashAfterMs: ms })),
  },
  'oom-after': {
    value: 'a duration',
    does: 'as `crash-after`, but OOMKilled with exit code 137',
    read: (text) => readDuration(text, (ms) => ({ oomAfterMs: ms })),
  },
  crashes: {
    value: 'a number',
    does: 'only so many runs end badly; the next one stays good. For ever without',
    read: (text) => readNumber(text, 1_000_000, (crashes) => ({ crashes })),
  },
  'runs-for': {
    value: 'a duration',
    does: 'a container that is meant to end (of a Job, an init container) runs that long',
    read: (text) => readDuration(text, (ms) => ({ runsForMs: ms })),
  },
  'exit-code': {
    value: '0 to 255',
    does: 'what it exits with when it ends',
    read: (text) => readNumber(text, 255, (exitCode) => ({ exitCode })),
  },
  'stop-takes': {
    value: 'a duration',
    does: 'SIGTERM is answered that late; past the grace period the container is killed with 137',
    read: (text) => readDuration(text, (ms) => ({ stopTakesMs: ms })),
  },
  cpu: {
    value: 'a quantity',
    does: 'what it uses, for `kubectl top` and autoscalers; heeded while it runs. What it requests without',
    read: (text) => readQuantity(text, (cores) => ({ cpuNanoCores: Math.round(cores * 1e9) })),
  },
  memory: {
    value: 'a quantity',
    does: 'the same for memory',
    read: (text) => readQuantity(text, (bytes) => ({ memoryBytes: Math.round(bytes) })),
  },
  log: {
    value: 'text',
    does: 'what `kubectl logs` shows',
    read: (text) => ({ log: text }),
  },
};

/** Faults for images, for where no annotation can be set. */
export interface ImageFault {
  /** Of the whole reference; `*` stands for any characters. */
  image: string;
  /** Knobs by their names without the prefix. */
  knobs: Readonly<Record<string, string>>;
}

export interface ReadKnobs {
  knobs: Knobs;
  /** What was written and means nothing, one sentence each. */
  problems: string[];
}

/**
 * The knobs of one container: of its image, then of the pod (`PREFIX/crash-after`), then its own
 * (`PREFIX/crash-after.CONTAINER`); later ones win.
 */
export function readKnobs(
  container: { name: string; image: string },
  annotations: Readonly<Record<string, string>>,
  faults: readonly ImageFault[],
): ReadKnobs {
  const problems: string[] = [];
  let knobs = goodKnobs;
  const turn = (name: string, text: string, shown: string): void => {
    const kind = Object.hasOwn(knobTable, name) ? knobTable[name] : undefined;
    const read = kind?.read(text);
    if (read) knobs = { ...knobs, ...read };
    else if (kind) problems.push(`${shown} takes ${kind.value}, not ${JSON.stringify(text)}`);
    else problems.push(`${shown} is no knob; there are ${Object.keys(knobTable).join(', ')}`);
  };
  for (const fault of faults)
    if (matchesImage(fault.image, container.image))
      for (const [name, text] of Object.entries(fault.knobs)) turn(name, text, `${name} of image ${fault.image}`);
  const written = Object.entries(annotations).filter(([key]) => key.startsWith(knobPrefix));
  for (const own of [false, true])
    for (const [key, text] of written) {
      const [name = '', target] = splitKnob(key.slice(knobPrefix.length));
      if (own ? target === container.name : target === undefined) turn(name, text, key);
    }
  return { knobs, problems };
}

function splitKnob(text: string): [string, string | undefined] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
}

export function matchesImage(pattern: string, image: string): boolean {
  const source = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's').test(image);
}

function readDuration(text: string, make: (ms: number) => Partial<Knobs>): Partial<Knobs> | undefined {
  const ms = parseDuration(text);
  return ms === undefined ? undefined : make(ms);
}

function readBoolean(text: string, whenTrue: Partial<Knobs>): Partial<Knobs> | undefined {
  return text === 'true' ? whenTrue : text === 'false' ? {} : undefined;
}

function readNumber(text: string, most: number, make: (value: number) => Partial<Knobs>): Partial<Knobs> | undefined {
  return /^\d{1,7}$/.test(text) && Number(text) <= most ? make(Number(text)) : undefined;
}

function readQuantity(text: string, make: (value: number) => Partial<Knobs>): Partial<Knobs> | undefined {
  const quantity = parseQuantity(text);
  return quantity && quantity.unscaled >= 0n ? make(Number(quantity.unscaled) * 10 ** quantity.scale) : undefined;
}
