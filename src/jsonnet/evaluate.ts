import { builtin, type Library } from './builtin.ts';
import { Compiler } from './compiler.ts';
import { JsonnetError } from './error.ts';
import type { Import } from './lexer.ts';
import { type Json, toJson } from './manifest.ts';
import { functionOf, textOf } from './operators.ts';
import { parseJsonnet } from './parser.ts';
import { arrayLibrary } from './std-arrays.ts';
import { encodingLibrary, fromJson } from './std-encodings.ts';
import { manifestLibrary } from './std-manifest.ts';
import { numberLibrary } from './std-numbers.ts';
import { objectLibrary } from './std-objects.ts';
import { setLibrary } from './std-sets.ts';
import { stringLibrary } from './std-strings.ts';
import { Environment, JsonnetArray, JsonnetFunction, JsonnetObject, Thunk, type Value } from './values.ts';

export interface Variable {
  name: string;
  value: string;
  /** The value is a program, not a text. */
  code: boolean;
}

export interface Evaluation {
  /** Name of the file to evaluate, as `open` takes it. */
  entry: string;
  /** The name of the file that an import means, undefined when there is none. */
  resolve: (from: string, path: string) => string | undefined;
  open: (name: string) => Buffer;
  extVars: readonly Variable[];
  tlas: readonly Variable[];
  /** The documents of a YAML text, for `std.parseYaml`. */
  parseYaml: (text: string) => unknown[];
}

const libraries: Library[] = [
  arrayLibrary,
  setLibrary,
  objectLibrary,
  numberLibrary,
  stringLibrary,
  encodingLibrary,
  manifestLibrary,
];

/** Evaluates a program and gives its result in full. Throws JsonnetError, whose `full` has the place and the calls. */
export function evaluateJsonnet(evaluation: Evaluation): Json {
  try {
    return new Evaluator(evaluation).run();
  } catch (error) {
    if (error instanceof RangeError && /call stack/i.test(error.message))
      throw new JsonnetError('max stack frames exceeded', evaluation.entry);
    throw error;
  }
}

class Evaluator {
  readonly #evaluation: Evaluation;
  readonly #loaded = new Map<string, Thunk>();
  readonly #std: JsonnetObject;

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
    const variables = new Map(
      evaluation.extVars.map((variable) => [variable.name, this.#variable(variable, 'extvar')] as const),
    );
    const own: Library = new Map<string, Value>([
      [
        'extVar',
        builtin('x', (name) => {
          const thunk = variables.get(textOf(name, 'x'));
          if (!thunk) throw new JsonnetError(`undefined external variable: ${String(name)}`);
          return thunk.force();
        }),
      ],
      ['native', builtin('x', () => null)],
      ['id', builtin('x', (value) => value)],
      ['trace', builtin('str, rest', (_text, rest) => rest)],
      [
        'parseYaml',
        builtin('str', (text) => {
          const documents = evaluation.parseYaml(textOf(text, 'str'));
          return fromJson(documents.length > 1 ? documents : documents[0]);
        }),
      ],
      ['resolvePath', builtin('f, r', (file, other) => textOf(file, 'f').replace(/[^/]*$/, () => textOf(other, 'r')))],
    ]);
    const entries = [...libraries, own].flatMap((library) => [...library]);
    this.#std = JsonnetObject.of(
      entries.map(([name, value]) => [name, Thunk.of(value)] as const),
      'hidden',
    );
  }

  run(): Json {
    const { entry, tlas } = this.#evaluation;
    let value = this.#file(entry).force();
    if (value instanceof JsonnetFunction) {
      const named = tlas.map((variable) => [variable.name, this.#variable(variable, 'top-level-arg')] as const);
      const known = value.parameters;
      for (const { name } of tlas)
        if (!known.some((parameter) => parameter.name === name))
          throw new JsonnetError(`function has no parameter ${name}`, entry);
      value = functionOf(value, 'the program').call([], named);
    }
    return toJson(value);
  }

  #variable(variable: Variable, what: string): Thunk {
    if (!variable.code) return Thunk.of(variable.value);
    return Thunk.later(() => this.#program(`<${what}:${variable.name}>`, variable.value));
  }

  #file(name: string): Thunk {
    const known = this.#loaded.get(name);
    if (known) return known;
    const thunk = Thunk.later(() => this.#program(name, this.#evaluation.open(name).toString('utf8')));
    this.#loaded.set(name, thunk);
    return thunk;
  }

  #program(name: string, text: string): Value {
    const source = { name, text };
    const load = (what: Import) => this.#import(name, what);
    const code = new Compiler({ source, load }).program(parseJsonnet(source));
    const top = new Environment(undefined);
    top.slots.push(Thunk.of(this.#std.join(JsonnetObject.of([['thisFile', Thunk.of(name)]], 'hidden'))));
    return code(top);
  }

  #import(from: string, { how, path }: Import): Value {
    const found = this.#evaluation.resolve(from, path);
    if (found === undefined)
      throw new JsonnetError(`couldn't open import ${JSON.stringify(path)}: no match in the repository`);
    if (how === 'import') return this.#file(found).force();
    const content = this.#evaluation.open(found);
    return how === 'importstr' ? content.toString('utf8') : JsonnetArray.of([...content]);
  }
}
