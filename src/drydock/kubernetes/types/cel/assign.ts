import { type CelType, dyn, isDynamic, param, paramOf, sameType } from './type.ts';

/** What type parameters were found to stand for. Copied before an attempt, so that a failed one leaves nothing. */
export type Substitutions = ReadonlyMap<string, CelType>;

type Working = Map<string, CelType>;

/** The substitutions under which a value of type `from` fits where `to` is wanted; undefined when it never does. */
export function assign(known: Substitutions, from: CelType, to: CelType): Substitutions | undefined {
  return assignAll(known, [from], [to]);
}

export function assignAll(
  known: Substitutions,
  from: readonly CelType[],
  to: readonly CelType[],
): Substitutions | undefined {
  if (from.length !== to.length) return undefined;
  const working = new Map(known);
  return from.every((each, index) => fits(working, each, to[index] ?? dyn)) ? working : undefined;
}

/** Replaces parameters by what they stand for; `free` says what becomes of those that stand for nothing. */
export function substitute(known: Substitutions, type: CelType, free: 'keep' | 'dyn'): CelType {
  if (type.kind === 'param') {
    const found = known.get(type.name);
    if (found !== undefined) return substitute(known, found, free);
    return free === 'dyn' ? dyn : type;
  }
  if (type.params.length === 0) return type;
  return { ...type, params: type.params.map((each) => substitute(known, each, free)) };
}

/** Renames the parameters of a signature to fresh ones. */
export function freshen(types: readonly CelType[], next: () => string): CelType[] {
  const renamed = new Map<string, CelType>();
  const rename = (type: CelType): CelType => {
    if (type.kind === 'param') {
      const known = renamed.get(type.name) ?? param(next());
      renamed.set(type.name, known);
      return known;
    }
    return type.params.length === 0 ? type : { ...type, params: type.params.map(rename) };
  };
  return types.map(rename);
}

/** The less specific of two types that fit each other. */
export function moreGeneral(a: CelType, b: CelType): CelType {
  return isEqualOrLessSpecific(a, b) ? a : b;
}

function isEqualOrLessSpecific(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (b.kind === 'dyn' || b.kind === 'param') return false;
  if (a.kind !== b.kind) return false;
  if (a.params.length === 0) return sameType(a, b);
  return (
    a.params.length === b.params.length &&
    a.params.every((each, index) => isEqualOrLessSpecific(each, paramOf(b, index)))
  );
}

function fits(known: Working, from: CelType, to: CelType): boolean {
  if (to.kind === 'param') {
    const bound = bind(known, from, to);
    if (bound !== 'other-way') return bound === 'bound';
  }
  if (from.kind === 'param') return bind(known, to, from) === 'bound';
  if (isDynamic(from) || isDynamic(to)) return true;
  if (from.kind === 'null') return isNullable(to);
  if (to.kind === 'null') return isNullable(from);
  if (from.kind !== to.kind || from.name !== to.name || from.params.length !== to.params.length) return false;
  return from.params.every((each, index) => fits(known, each, paramOf(to, index)));
}

/** `other-way`: the parameter is free but occurs in the value, which may be a parameter itself. */
function bind(known: Working, value: CelType, parameter: CelType): 'bound' | 'refused' | 'other-way' {
  if (sameType(value, parameter)) return 'bound';
  const bound = known.get(parameter.name);
  if (bound === undefined) {
    if (occurs(known, parameter, value)) return 'other-way';
    known.set(parameter.name, value);
    return 'bound';
  }
  if (sameType(value, bound)) return 'bound';
  if (!fits(known, value, bound)) return 'refused';
  const general = moreGeneral(value, bound);
  if (!occurs(known, parameter, general)) known.set(parameter.name, general);
  return 'bound';
}

function occurs(known: Working, parameter: CelType, within: CelType): boolean {
  if (sameType(parameter, within)) return true;
  if (within.kind === 'param') {
    const bound = known.get(within.name);
    return bound !== undefined && occurs(known, parameter, bound);
  }
  return within.params.some((each) => occurs(known, parameter, each));
}

function isNullable(type: CelType): boolean {
  return ['null', 'object', 'timestamp', 'duration'].includes(type.kind);
}
