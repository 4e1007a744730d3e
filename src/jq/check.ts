import { AppError } from '#base/errors.ts';
import { namesOf } from './bind.ts';
import { builtinOf } from './builtins.ts';
import { isFormat } from './formats.ts';
import { preludeDefinition } from './prelude.ts';
import type { Node } from './syntax.ts';

interface Known {
  functions: ReadonlySet<string>;
  variables: ReadonlySet<string>;
  labels: ReadonlySet<string>;
}

const nothing: Known = { functions: new Set(), variables: new Set(['ENV']), labels: new Set() };

/** Throws AppError bad-input when a name is used that nothing defines. */
export function checkNames(text: string, node: Node): void {
  new Check(text).node(node, nothing);
}

class Check {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  #fail(message: string): never {
    throw new AppError('bad-input', `jq expression ${JSON.stringify(this.#text)}: ${message}`, {
      hint: 'look for a spelling mistake, or for a function of another version of jq',
    });
  }

  node(node: Node, known: Known): void {
    switch (node.kind) {
      case 'variable':
        if (!known.variables.has(node.name)) this.#fail(`variable not defined: $${node.name}`);
        return;
      case 'break':
        if (!known.labels.has(node.name)) this.#fail(`label not defined: $${node.name}`);
        return;
      case 'format':
        this.#format(node.format);
        return;
      case 'text':
        if (node.format !== undefined) this.#format(node.format);
        for (const part of node.parts) if (typeof part !== 'string') this.node(part, known);
        return;
      case 'call':
        this.#call(node, known);
        return;
      case 'label':
        this.node(node.body, { ...known, labels: new Set([...known.labels, node.name]) });
        return;
      case 'define':
        this.#define(node, known);
        return;
      case 'bind':
      case 'reduce':
      case 'foreach':
        this.#bound(node, known);
        return;
      default:
        for (const child of childrenOf(node)) this.node(child, known);
    }
  }

  #format(name: string): void {
    if (!isFormat(name)) this.#fail(`format not defined: ${name}`);
  }

  #call(node: Node & { kind: 'call' }, known: Known): void {
    const { name, parameters } = node;
    const id = `${name}/${parameters.length}`;
    const defined =
      known.functions.has(id) ||
      (!name.startsWith('_') &&
        (builtinOf(name, parameters.length) ?? preludeDefinition(name, parameters.length)) !== undefined);
    if (!defined) this.#fail(`function not defined: ${id}`);
    for (const parameter of parameters) this.node(parameter, known);
  }

  #define(node: Node & { kind: 'define' }, known: Known): void {
    const { name, parameters, body } = node.definition;
    const functions = new Set([...known.functions, `${name}/${parameters.length}`]);
    const bound = parameters.map((parameter) => parameter.replace(/^\$/, ''));
    const values = parameters.filter((parameter) => parameter.startsWith('$')).map((parameter) => parameter.slice(1));
    this.node(body, {
      functions: new Set([...functions, ...bound.map((parameter) => `${parameter}/0`)]),
      variables: new Set([...known.variables, ...values]),
      labels: new Set(),
    });
    this.node(node.body, { ...known, functions });
  }

  #bound(node: Node & { kind: 'bind' | 'reduce' | 'foreach' }, known: Known): void {
    this.node(node.source, known);
    const inner = { ...known, variables: new Set([...known.variables, ...node.patterns.flatMap(namesOf)]) };
    if (node.kind === 'bind') {
      this.node(node.body, inner);
      return;
    }
    this.node(node.initial, known);
    this.node(node.update, inner);
    if (node.kind === 'foreach' && node.extract) this.node(node.extract, inner);
  }
}

function childrenOf(node: Node): Node[] {
  switch (node.kind) {
    case 'index':
      return [node.of, node.key];
    case 'slice':
      return [node.of, ...(node.from ? [node.from] : []), ...(node.to ? [node.to] : [])];
    case 'iterate':
    case 'negate':
      return [node.of];
    case 'pipe':
    case 'comma':
    case 'binary':
    case 'and':
    case 'or':
    case 'alternative':
    case 'update':
      return [node.left, node.right];
    case 'if':
      return [node.condition, node.yes, ...(node.no ? [node.no] : [])];
    case 'try':
      return [node.body, ...(node.handler ? [node.handler] : [])];
    case 'array':
      return node.of ? [node.of] : [];
    case 'object':
      return node.entries.flatMap(({ key, value }) => [key, value]);
    default:
      return [];
  }
}
