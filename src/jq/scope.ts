import type { Json } from '#base/json.ts';
import type { Definition, Node } from './syntax.ts';
import { JqError, shown } from './value.ts';

/** How a value was reached from where `path` began: the last step, the way before it, and what stood there. */
export interface Trail {
  parent: Trail | undefined;
  step: Json;
  value: Json;
}

/** A value on its way through the program; with a trail while paths are asked for. */
export interface Item {
  value: Json;
  trail: Trail | undefined;
}

export interface Closure {
  body: Node;
  scope: Scope;
}

/** Names that are known at a place of the program, innermost first. */
export type Scope =
  | { kind: 'variable'; name: string; value: Json; outer: Scope }
  | { kind: 'label'; name: string; id: object; outer: Scope }
  | { kind: 'function'; definition: Definition; outer: Scope }
  | { kind: 'filter'; name: string; closure: Closure; outer: Scope }
  | undefined;

export function assertOnTrail(item: Item, message: string): void {
  const there = item.trail?.value;
  const same = there === item.value || (Number.isNaN(there) && Number.isNaN(item.value));
  if (!same) throw new JqError(`${message}: ${shown(item.value)}`);
}

export function stepsOf(trail: Trail | undefined): Json[] {
  const out: Json[] = [];
  for (let at = trail; at?.parent; at = at.parent) out.push(at.step);
  return out.reverse();
}

export function variableOf(scope: Scope, name: string): Json {
  for (let at = scope; at; at = at.outer) if (at.kind === 'variable' && at.name === name) return at.value;
  if (name === 'ENV') return {};
  throw new Error(`$${name} was not checked`);
}

export function labelOf(scope: Scope, name: string): object {
  for (let at = scope; at; at = at.outer) if (at.kind === 'label' && at.name === name) return at.id;
  throw new Error(`label $${name} was not checked`);
}

export function functionOf(
  scope: Scope,
  name: string,
  parameters: number,
): Exclude<Scope, undefined | { kind: 'variable' | 'label' }> | undefined {
  for (let at = scope; at; at = at.outer) {
    if (at.kind === 'filter' && parameters === 0 && at.name === name) return at;
    if (at.kind === 'function' && at.definition.name === name && at.definition.parameters.length === parameters)
      return at;
  }
  return undefined;
}
