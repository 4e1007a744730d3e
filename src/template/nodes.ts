import { quote } from './format.ts';

/** The tree of a template. `at` is an offset into the text. */
export type Expression =
  | { kind: 'field'; at: number; names: string[] }
  | { kind: 'variable'; at: number; name: string; names: string[] }
  | { kind: 'chain'; at: number; node: Expression; names: string[] }
  | { kind: 'call'; at: number; name: string }
  | { kind: 'pipe'; at: number; pipe: Pipe }
  | { kind: 'dot'; at: number }
  | { kind: 'nil'; at: number }
  | { kind: 'bool'; at: number; value: boolean }
  | {
      kind: 'number';
      at: number;
      text: string;
      integer: bigint | undefined;
      float: number | undefined;
      ideal: 'int' | 'float' | 'none';
    }
  | { kind: 'string'; at: number; source: string; value: string };

export interface Command {
  kind: 'command';
  at: number;
  words: Expression[];
}

export interface Pipe {
  at: number;
  variables: string[];
  assigns: boolean;
  commands: Command[];
}

export type Statement =
  | { kind: 'text'; at: number; text: string }
  | { kind: 'action'; at: number; pipe: Pipe }
  | { kind: 'if' | 'with' | 'range'; at: number; pipe: Pipe; body: Statement[]; otherwise: Statement[] | undefined }
  | { kind: 'template'; at: number; name: string; pipe: Pipe | undefined }
  | { kind: 'break' | 'continue'; at: number };

/** A name and what it stands for: the text itself, or one `define` or `block` in it. */
export interface Definition {
  name: string;
  body: Statement[];
}

export type ErrorPlace = Statement | Command | Expression;

/** As Go prints the node in an error. */
export function sourceOf(node: ErrorPlace): string {
  switch (node.kind) {
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.names].join('.');
    case 'chain': {
      const inner = sourceOf(node.node);
      return `${node.node.kind === 'pipe' ? `(${inner})` : inner}${node.names.map((name) => `.${name}`).join('')}`;
    }
    case 'call':
      return node.name;
    case 'pipe':
      return pipeSource(node.pipe);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return node.source;
    case 'command':
      return node.words.map((word) => (word.kind === 'pipe' ? `(${sourceOf(word)})` : sourceOf(word))).join(' ');
    case 'action':
      return `{{${pipeSource(node.pipe)}}}`;
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe ? ` ${pipeSource(node.pipe)}` : ''}}}`;
    case 'text':
      return node.text;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.otherwise ? `{{else}}${node.otherwise.map(sourceOf).join('')}` : '';
      return `{{${node.kind} ${pipeSource(node.pipe)}}}${node.body.map(sourceOf).join('')}${otherwise}{{end}}`;
    }
  }
}

export function pipeSource(pipe: Pipe): string {
  const declared = pipe.variables.length > 0 ? `${pipe.variables.join(', ')} ${pipe.assigns ? '=' : ':='} ` : '';
  return declared + pipe.commands.map(sourceOf).join(' | ');
}
