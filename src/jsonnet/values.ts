import { JsonnetError } from './error.ts';

export type Value = null | boolean | number | string | JsonnetArray | JsonnetObject | JsonnetFunction;

/** A program part, compiled: gives its value in an environment. */
export type Code = (environment: Environment) => Value;

/** A value that is computed when it is first asked for. */
export class Thunk {
  #value: Value | undefined;
  #code: Code | undefined;
  #environment: Environment | undefined;

  constructor(code: Code | undefined, environment: Environment | undefined, value?: Value) {
    this.#code = code;
    this.#environment = environment;
    this.#value = value;
  }

  static of(value: Value): Thunk {
    return new Thunk(undefined, undefined, value);
  }

  static later(compute: () => Value): Thunk {
    return new Thunk(compute, nowhere);
  }

  force(): Value {
    if (this.#value !== undefined) return this.#value;
    const code = this.#code;
    if (!code || !this.#environment) throw new JsonnetError('infinite recursion: this value needs itself');
    const environment = this.#environment;
    this.#code = undefined;
    try {
      this.#value = code(environment);
    } catch (error) {
      // The same error again when asked again, not "infinite recursion".
      this.#code = code;
      throw error;
    }
    this.#environment = undefined;
    return this.#value;
  }
}

/** The variables of one scope, and the object around it with the layer that `super` counts from. */
export class Environment {
  readonly slots: Thunk[] = [];
  readonly up: Environment | undefined;
  readonly self: JsonnetObject | undefined;
  readonly layer: number;

  constructor(up: Environment | undefined, self = up?.self, layer = up?.layer ?? 0) {
    this.up = up;
    this.self = self;
    this.layer = layer;
  }
}

const nowhere = new Environment(undefined);

export class JsonnetArray {
  readonly items: readonly Thunk[];

  constructor(items: readonly Thunk[]) {
    this.items = items;
  }

  static of(values: readonly Value[]): JsonnetArray {
    return new JsonnetArray(values.map(Thunk.of));
  }

  values(): Value[] {
    return this.items.map((item) => item.force());
  }
}

export interface FieldDefinition {
  visibility: 'inherit' | 'hidden' | 'visible';
  body: Code;
  /** Where the object stands, without the object's own locals. */
  around: Environment;
}

/** One `{...}`: objects are lists of them, joined by `+`. */
export interface Layer {
  fields: Map<string, FieldDefinition>;
  /** Thunks of the object's locals, put into the scope of its fields. */
  bind: (scope: Environment) => void;
  assertions: { check: Code; around: Environment }[];
}

export class JsonnetObject {
  readonly layers: readonly Layer[];
  readonly #cache = new Map<string, Thunk>();
  /** Per layer, by where the object stands. */
  readonly #scopes = new Map<number, Map<Environment, Environment>>();
  #names: Map<string, boolean> | undefined;
  #checked = false;

  constructor(layers: readonly Layer[]) {
    this.layers = layers;
  }

  static of(entries: Iterable<readonly [string, Thunk]>, visibility: 'inherit' | 'hidden' = 'inherit'): JsonnetObject {
    const fields = new Map<string, FieldDefinition>();
    for (const [name, thunk] of entries) fields.set(name, { visibility, body: () => thunk.force(), around: nowhere });
    return new JsonnetObject([{ fields, bind: () => undefined, assertions: [] }]);
  }

  join(other: JsonnetObject): JsonnetObject {
    return new JsonnetObject([...this.layers, ...other.layers]);
  }

  /** Names to whether they are shown. */
  #allNames(): Map<string, boolean> {
    if (this.#names) return this.#names;
    const names = new Map<string, boolean>();
    for (const layer of this.layers)
      for (const [name, { visibility }] of layer.fields)
        names.set(name, visibility === 'inherit' ? (names.get(name) ?? true) : visibility === 'visible');
    this.#names = names;
    return names;
  }

  has(name: string, hiddenToo: boolean): boolean {
    const shown = this.#allNames().get(name);
    return shown !== undefined && (hiddenToo || shown);
  }

  /** In the order of their code points. */
  fields(hiddenToo: boolean): string[] {
    const names = this.#allNames();
    const out = [...names.keys()].filter((name) => hiddenToo || names.get(name));
    return out.sort(compareText);
  }

  hasBelow(name: string, layer: number): boolean {
    return this.layers.slice(0, layer).some(({ fields }) => fields.has(name));
  }

  /** Undefined when there is no such field. */
  get(name: string): Value | undefined {
    this.check();
    return this.getBelow(name, this.layers.length);
  }

  /** Looks only at the layers before `layer`. */
  getBelow(name: string, layer: number): Value | undefined {
    for (let at = layer - 1; at >= 0; at -= 1) {
      const definition = this.layers[at]?.fields.get(name);
      if (definition) return this.#field(name, at, definition).force();
    }
    return undefined;
  }

  thunk(name: string): Thunk {
    return Thunk.later(() => this.get(name) ?? null);
  }

  #field(name: string, at: number, definition: FieldDefinition): Thunk {
    const key = `${at} ${name}`;
    const known = this.#cache.get(key);
    if (known) return known;
    const thunk = Thunk.later(() => definition.body(this.#scope(at, definition.around)));
    this.#cache.set(key, thunk);
    return thunk;
  }

  #scope(at: number, around: Environment): Environment {
    const ofLayer = this.#scopes.get(at) ?? new Map<Environment, Environment>();
    this.#scopes.set(at, ofLayer);
    const known = ofLayer.get(around);
    if (known) return known;
    const scope = new Environment(around, this, at);
    this.layers[at]?.bind(scope);
    ofLayer.set(around, scope);
    return scope;
  }

  /** The object's assertions, once: they may look at its fields themselves. */
  check(): void {
    if (this.#checked) return;
    this.#checked = true;
    try {
      for (const [at, layer] of this.layers.entries())
        for (const { check, around } of layer.assertions) check(this.#scope(at, around));
    } catch (error) {
      this.#checked = false;
      throw error;
    }
  }
}

export interface FunctionParameter {
  name: string;
  optional: boolean;
}

export class JsonnetFunction {
  readonly parameters: readonly FunctionParameter[];
  /** Takes one entry per parameter; those left out are undefined. */
  readonly apply: (args: (Thunk | undefined)[]) => Value;

  constructor(parameters: readonly FunctionParameter[], apply: (args: (Thunk | undefined)[]) => Value) {
    this.parameters = parameters;
    this.apply = apply;
  }

  call(positional: readonly Thunk[], named: readonly (readonly [string, Thunk])[] = []): Value {
    const args: (Thunk | undefined)[] = positional.slice();
    if (args.length > this.parameters.length)
      throw new JsonnetError(`too many arguments: expected at most ${this.parameters.length}, got ${args.length}`);
    for (const [name, value] of named) {
      const at = this.parameters.findIndex((parameter) => parameter.name === name);
      if (at < 0) throw new JsonnetError(`function has no parameter ${name}`);
      if (args[at] !== undefined) throw new JsonnetError(`argument ${name} already provided`);
      args[at] = value;
    }
    for (const [at, parameter] of this.parameters.entries())
      if (args[at] === undefined && !parameter.optional) throw new JsonnetError(`missing argument: ${parameter.name}`);
    return this.apply(args);
  }
}

export function typeOf(value: Value): string {
  if (value === null) return 'null';
  if (value instanceof JsonnetArray) return 'array';
  if (value instanceof JsonnetObject) return 'object';
  if (value instanceof JsonnetFunction) return 'function';
  return typeof value;
}

/** By code points, which JavaScript's own order of texts is not. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    const high = (code: number) => (code >= 0xd800 && code <= 0xdfff ? code + 0x10000 : code);
    return high(left) - high(right);
  }
  return a.length - b.length;
}

/** The code points of a text, each as a text. */
export function charactersOf(text: string): string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text.split('');
}
