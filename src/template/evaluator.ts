import { AppError } from '#base/errors.ts';
import { CallError } from './call-error.ts';
import { costOf, countTo, entriesOf, zeroElement } from './elements.ts';
import { formatValue, quote } from './format.ts';
import {
  assign,
  type CallContext,
  canBeNil,
  type FunctionMap,
  type GoFunction,
  goName,
  type ParameterType,
} from './function.ts';
import { methodOf } from './methods.ts';
import {
  type Command,
  type Definition,
  type ErrorPlace,
  type Expression,
  type Pipe,
  type Statement,
  sourceOf,
} from './nodes.ts';
import { elementType, GoInt, GoObject, goInt, isMap, isTrue, sortedKeys, typeName } from './value.ts';

export type MissingKey = 'default' | 'zero' | 'error';

export interface Limits {
  /** Bytes of UTF-16 of the result. */
  outputLength: number;
  /** Statements, calls, and elements made by functions. */
  steps: number;
  depth: number;
}

export interface Program {
  name: string;
  text: string;
  definitions: readonly Definition[];
  functions: FunctionMap;
  missingKey: MissingKey;
  limits: Limits;
}

interface Variable {
  name: string;
  value: unknown;
}

type Flow = 'on' | 'break' | 'continue';

const nothing: unique symbol = Symbol('nothing');

/** Renders a program over data. Throws AppError bad-input in Go's words, or limit. */
export class Evaluator {
  readonly #program: Program;
  readonly #context: CallContext;
  #out = '';
  #steps = 0;
  #depth = 0;
  #template: string;
  #place: ErrorPlace | Pipe | undefined;
  #variables: Variable[] = [];

  constructor(program: Program, context: Omit<CallContext, 'spend'>) {
    this.#program = program;
    this.#template = program.name;
    this.#context = { ...context, spend: (units) => this.#spend(units) };
  }

  run(data: unknown): string {
    const main = this.#definition(this.#program.name);
    this.#variables = [{ name: '$', value: data }];
    try {
      this.#walkAll(data, main?.body ?? []);
    } catch (error) {
      // JavaScript's own limits: of the stack, of the length of a text, of times.
      if (error instanceof RangeError) this.#limit(`it goes too deep or too far (${error.message})`);
      throw error;
    }
    return this.#out;
  }

  #definition(name: string): Definition | undefined {
    return this.#program.definitions.findLast((definition) => definition.name === name);
  }

  #spend(units: number): void {
    this.#steps += units;
    const { steps } = this.#program.limits;
    if (this.#steps > steps) this.#limit(`it takes more than ${steps} steps`);
  }

  #limit(what: string): never {
    throw new AppError('limit', `template ${this.#program.name} was stopped: ${what}`, {
      hint: 'make the template or what it ranges over smaller',
    });
  }

  #fail(message: string): never {
    const { name, text } = this.#program;
    const place = this.#place;
    if (!place) throw new AppError('bad-input', `template: ${this.#template}: ${message}`);
    const before = text.slice(0, place.at);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const source = 'kind' in place ? sourceOf(place) : sourceOf({ kind: 'pipe', at: place.at, pipe: place });
    throw new AppError(
      'bad-input',
      `template: ${name}:${line}:${column}: executing ${quote(this.#template)} at <${source}>: ${message}`,
    );
  }

  #write(text: string): void {
    this.#out += text;
    const { outputLength } = this.#program.limits;
    if (this.#out.length > outputLength) this.#limit(`its result is longer than ${outputLength} characters`);
  }

  #walkAll(dot: unknown, statements: readonly Statement[]): Flow {
    for (const statement of statements) {
      const flow = this.#walk(dot, statement);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  #walk(dot: unknown, node: Statement): Flow {
    this.#place = node;
    this.#spend(1);
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return 'on';
      case 'action': {
        const value = this.#evalPipe(dot, node.pipe);
        if (node.pipe.variables.length > 0) return 'on';
        this.#place = node;
        this.#write(value === undefined ? '<no value>' : formatValue(value));
        return 'on';
      }
      case 'if':
      case 'with':
        return this.#walkIf(dot, node);
      case 'range':
        return this.#walkRange(dot, node);
      case 'template':
        this.#walkTemplate(dot, node);
        return 'on';
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  #walkIf(dot: unknown, node: Extract<Statement, { kind: 'if' | 'with' | 'range' }>): Flow {
    const mark = this.#variables.length;
    const value = this.#evalPipe(dot, node.pipe);
    const flow = isTrue(value)
      ? this.#walkAll(node.kind === 'with' ? value : dot, node.body)
      : this.#walkAll(dot, node.otherwise ?? []);
    this.#variables.length = mark;
    return flow;
  }

  #walkRange(dot: unknown, node: Extract<Statement, { kind: 'if' | 'with' | 'range' }>): Flow {
    const outer = this.#variables.length;
    const value = this.#evalPipe(dot, node.pipe);
    const flow = this.#eachOf(value, node);
    this.#variables.length = flow === undefined ? this.#variables.length : outer;
    if (flow !== undefined) return flow;
    const last = this.#walkAll(dot, node.otherwise ?? []);
    this.#variables.length = outer;
    return last;
  }

  /** Undefined when there was nothing to go through. */
  #eachOf(value: unknown, node: Extract<Statement, { kind: 'if' | 'with' | 'range' }>): Flow | undefined {
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value)) {
      if (value.length === 0) return undefined;
      return this.#each(value.entries(), node, (index) => goInt(Number(index)));
    }
    if (value instanceof GoInt) {
      if (node.pipe.variables.length > 1)
        this.#fail(`can't use ${formatValue(value)} to iterate over more than one variable`);
      if (value.value <= 0n) return undefined;
      return this.#each(countTo(value), node, () => undefined);
    }
    if (!isMap(value)) this.#fail(`range can't iterate over ${formatValue(value)}`);
    const keys = sortedKeys(value);
    if (keys.length === 0) return undefined;
    return this.#each(entriesOf(value, keys), node, (key) => key);
  }

  #each(
    entries: Iterable<[unknown, unknown]>,
    node: Extract<Statement, { kind: 'if' | 'with' | 'range' }>,
    keyOf: (key: unknown) => unknown,
  ): Flow {
    const mark = this.#variables.length;
    const { variables, assigns } = node.pipe;
    const [first, second] = variables;
    for (const [key, element] of entries) {
      this.#spend(1);
      if (first !== undefined) {
        const [one, two] = second === undefined ? [element, undefined] : [keyOf(key), element];
        this.#setLoopVariable(first, one, assigns, mark - variables.length);
        if (second !== undefined) this.#setLoopVariable(second, two, assigns, mark - 1);
      }
      const flow = this.#walkAll(element, node.body);
      this.#variables.length = mark;
      if (flow === 'break') break;
    }
    return 'on';
  }

  #setLoopVariable(name: string, value: unknown, assigns: boolean, position: number): void {
    if (assigns) this.#setVariable(name, value);
    else this.#variables[position] = { name, value };
  }

  #walkTemplate(dot: unknown, node: Extract<Statement, { kind: 'template' }>): void {
    const definition = this.#definition(node.name);
    if (!definition) this.#fail(`template ${quote(node.name)} not defined`);
    const { depth } = this.#program.limits;
    if (this.#depth === depth) this.#fail(`exceeded maximum template depth (${depth})`);
    const value = node.pipe ? this.#evalPipe(dot, node.pipe) : undefined;
    const outer = { variables: this.#variables, template: this.#template };
    this.#variables = [{ name: '$', value }];
    this.#template = node.name;
    this.#depth += 1;
    this.#walkAll(value, definition.body);
    this.#depth -= 1;
    this.#variables = outer.variables;
    this.#template = outer.template;
  }

  #variable(name: string): unknown {
    const found = this.#variables.findLast((variable) => variable.name === name);
    return found ? found.value : this.#fail(`undefined variable: ${name}`);
  }

  #setVariable(name: string, value: unknown): void {
    const found = this.#variables.findLast((variable) => variable.name === name);
    if (!found) this.#fail(`undefined variable: ${name}`);
    found.value = value;
  }

  #evalPipe(dot: unknown, pipe: Pipe): unknown {
    this.#place = pipe;
    let value: unknown = nothing;
    for (const command of pipe.commands) value = this.#evalCommand(dot, command, value) ?? undefined;
    for (const name of pipe.variables) {
      if (pipe.assigns) this.#setVariable(name, value);
      else this.#variables.push({ name, value });
    }
    return value;
  }

  #evalCommand(dot: unknown, command: Command, final: unknown): unknown {
    const [first, ...args] = command.words;
    if (!first) return undefined;
    switch (first.kind) {
      case 'field':
        this.#place = first;
        return this.#fields(dot, dot, first, first.names, args, final);
      case 'chain':
        return this.#evalChain(dot, first, args, final);
      case 'call':
        return this.#evalFunction(dot, first, command, args, final);
      case 'variable':
        return this.#evalVariable(dot, first, args, final);
      case 'pipe':
        this.#refuseArguments(first, args, final);
        return this.#evalPipe(dot, first.pipe);
      default:
        this.#place = first;
        this.#refuseArguments(first, args, final);
        if (first.kind === 'nil') this.#fail('nil is not a command');
        return this.#literal(dot, first);
    }
  }

  #refuseArguments(first: Expression, args: readonly Expression[], final: unknown): void {
    if (args.length > 0 || final !== nothing) this.#fail(`can't give argument to non-function ${sourceOf(first)}`);
  }

  #literal(dot: unknown, node: Expression): unknown {
    switch (node.kind) {
      case 'bool':
      case 'string':
        return node.value;
      case 'dot':
        return dot;
      case 'number':
        return node.ideal === 'float' ? node.float : goInt(node.integer ?? 0n);
      default:
        return this.#fail(`can't evaluate command ${quote(sourceOf(node))}`);
    }
  }

  #evalChain(
    dot: unknown,
    node: Extract<Expression, { kind: 'chain' }>,
    args: readonly Expression[],
    final: unknown,
  ): unknown {
    this.#place = node;
    return this.#fields(dot, this.#evalArg(dot, 'any', node.node), node, node.names, args, final);
  }

  #evalVariable(
    dot: unknown,
    node: Extract<Expression, { kind: 'variable' }>,
    args: readonly Expression[],
    final: unknown,
  ): unknown {
    this.#place = node;
    const value = this.#variable(node.name);
    if (node.names.length > 0) return this.#fields(dot, value, node, node.names, args, final);
    this.#refuseArguments(node, args, final);
    return value;
  }

  #fields(
    dot: unknown,
    receiver: unknown,
    node: ErrorPlace,
    names: readonly string[],
    args: readonly Expression[],
    final: unknown,
  ): unknown {
    let value = receiver;
    let type = value === null ? 'interface {}' : typeName(value);
    names.forEach((name, index) => {
      const last = index === names.length - 1;
      const holder = value;
      value = this.#field(dot, { value, type }, name, node, last ? args : [], last ? final : nothing);
      type = isMap(holder) ? elementType(holder) : typeName(value);
    });
    return value;
  }

  #field(
    dot: unknown,
    receiver: { value: unknown; type: string },
    name: string,
    node: ErrorPlace,
    args: readonly Expression[],
    final: unknown,
  ): unknown {
    const { value, type } = receiver;
    const { missingKey } = this.#program;
    if (value === undefined) {
      if (missingKey === 'error') this.#fail(`nil data; no entry for key ${quote(name)}`);
      return undefined;
    }
    if (value === null) this.#fail(`nil pointer evaluating ${type}.${name}`);
    const method = methodOf(value, name);
    if (method) return this.#call(dot, method, name, node, args, final);
    const hasArguments = args.length > 0 || final !== nothing;
    if (value instanceof GoObject && value.fields.has(name)) {
      if (hasArguments) this.#fail(`${name} has arguments but cannot be invoked as function`);
      return value.fields.get(name);
    }
    if (!isMap(value)) this.#fail(`can't evaluate field ${name} in type ${type}`);
    if (hasArguments) this.#fail(`${name} is not a method but has arguments`);
    if (Object.hasOwn(value, name)) return value[name];
    if (missingKey === 'error') this.#fail(`map has no entry for key ${quote(name)}`);
    return missingKey === 'zero' ? zeroElement(value) : undefined;
  }

  #evalFunction(
    dot: unknown,
    node: Extract<Expression, { kind: 'call' }>,
    place: ErrorPlace,
    args: readonly Expression[],
    final: unknown,
  ): unknown {
    this.#place = node;
    const { functions } = this.#program;
    const found = Object.hasOwn(functions, node.name) ? functions[node.name] : undefined;
    if (!found) this.#fail(`${quote(node.name)} is not a defined function`);
    if (node.name === 'and' || node.name === 'or') return this.#evalLogic(dot, node.name, args, final);
    return this.#call(dot, found, node.name, place, args, final);
  }

  /** `and` and `or` evaluate no more than they need. */
  #evalLogic(dot: unknown, name: 'and' | 'or', args: readonly Expression[], final: unknown): unknown {
    if (args.length === 0 && final === nothing) this.#fail(`wrong number of args for ${name}: want at least 1 got 0`);
    let value: unknown;
    for (const arg of args) {
      value = this.#evalArg(dot, 'value', arg);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === nothing ? value : final;
  }

  #call(
    dot: unknown,
    called: GoFunction,
    name: string,
    place: ErrorPlace,
    args: readonly Expression[],
    final: unknown,
  ): unknown {
    const { parameters, rest } = called;
    const count = args.length + (final === nothing ? 0 : 1);
    if (rest !== undefined && count < parameters.length)
      this.#fail(`wrong number of args for ${name}: want at least ${parameters.length} got ${args.length}`);
    if (rest === undefined && count !== parameters.length)
      this.#fail(`wrong number of args for ${name}: want ${parameters.length} got ${count}`);
    const typeAt = (index: number) => parameters[index] ?? rest ?? 'any';
    const values = args.map((arg, index) => this.#evalArg(dot, typeAt(index), arg));
    if (final !== nothing) values.push(this.#assign(final, typeAt(args.length)));
    this.#spend(1 + costOf(values));
    try {
      const result = called.call(this.#context, values);
      this.#spend(costOf([result]));
      return result;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#place = place;
      return this.#fail(`error calling ${name}: ${error.message}`);
    }
  }

  #assign(value: unknown, type: ParameterType): unknown {
    const assigned = assign(value, type);
    return 'problem' in assigned ? this.#fail(assigned.problem) : assigned.value;
  }

  #evalArg(dot: unknown, type: ParameterType, node: Expression): unknown {
    this.#place = node;
    switch (node.kind) {
      case 'dot':
        return this.#assign(dot, type);
      case 'nil':
        if (canBeNil(type)) return this.#assign(undefined, type);
        return this.#fail(`cannot assign nil to ${goName(type)}`);
      case 'field':
        return this.#assign(this.#fields(dot, dot, node, node.names, [], nothing), type);
      case 'variable':
        return this.#assign(this.#evalVariable(dot, node, [], nothing), type);
      case 'pipe':
        return this.#assign(this.#evalPipe(dot, node.pipe), type);
      case 'call':
        return this.#assign(this.#evalFunction(dot, node, node, [], nothing), type);
      case 'chain':
        return this.#assign(this.#evalChain(dot, node, [], nothing), type);
      case 'bool':
      case 'number':
      case 'string':
        return this.#constant(dot, type, node);
    }
  }

  #constant(dot: unknown, type: ParameterType, node: Expression): unknown {
    switch (type) {
      case 'any':
      case 'value':
        return this.#literal(dot, node);
      case 'bool':
        return node.kind === 'bool' ? node.value : this.#fail(`expected bool; found ${sourceOf(node)}`);
      case 'string':
        return node.kind === 'string' ? node.value : this.#fail(`expected string; found ${sourceOf(node)}`);
      case 'float64':
        if (node.kind === 'number' && node.float !== undefined) return node.float;
        return this.#fail(`expected float; found ${sourceOf(node)}`);
      case 'int':
      case 'int64':
        if (node.kind !== 'number' || node.integer === undefined)
          return this.#fail(`expected integer; found ${sourceOf(node)}`);
        return type === 'int64' ? node.integer : Number(node.integer);
      case 'uint32':
        if (node.kind !== 'number' || node.integer === undefined || node.integer < 0n)
          return this.#fail(`expected unsigned integer; found ${sourceOf(node)}`);
        return Number(node.integer);
      case 'dict':
      case 'list':
      case 'time':
        return this.#fail(`can't handle ${sourceOf(node)} for arg of type ${goName(type)}`);
    }
  }
}
