import { AppError, messageOf } from '#base/errors.ts';
import { cloneJson, isObject, type Json, type JsonObject } from '#base/json.ts';
import { compileDeletion, JqError, JqLimit, type JqProgram, runOnce } from '#jq/jq.ts';
import type { ApplicationSetSpec } from '#model/argocd/application-set.ts';

interface Rule {
  name: string | undefined;
  pointers: string[][];
  programs: JqProgram[];
}

/** What of generated Applications stays as it is in the cluster, whatever the template says. */
export interface IgnoredDifferences {
  /** A copy without what is ignored for an Application of that name. */
  strip(application: JsonObject, name: string): JsonObject;
}

function pointerOf(pointer: string): string[] {
  if (!pointer.startsWith('/'))
    throw new AppError('bad-input', `ignoreApplicationDifferences: ${JSON.stringify(pointer)} is no JSON pointer`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function removeAt(value: unknown, path: readonly string[]): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (Array.isArray(value)) {
    const index = /^\d+$/.test(first) ? Number(first) : -1;
    if (rest.length > 0) removeAt(value[index], rest);
    else if (index >= 0 && index < value.length) value.splice(index, 1);
  } else if (isObject(value)) {
    if (rest.length > 0) removeAt(value[first], rest);
    else delete value[first];
  }
}

function run(program: JqProgram, application: JsonObject): JsonObject {
  try {
    const result = runOnce(program, application as Json);
    return isObject(result) ? result : application;
  } catch (error) {
    // As Argo CD has it: an expression that does not fit the object ignores nothing of it.
    if (error instanceof JqError && !(error instanceof JqLimit)) return application;
    throw new AppError('bad-input', `ignoreApplicationDifferences: ${program.text}: ${messageOf(error)}`);
  }
}

/** Throws AppError bad-input for a pointer or an expression that is none. */
export function ignoredDifferences(spec: ApplicationSetSpec): IgnoredDifferences {
  const rules: Rule[] = spec.ignoreApplicationDifferences.map(({ name, jsonPointers, jqPathExpressions }) => ({
    name,
    pointers: jsonPointers.map(pointerOf),
    programs: jqPathExpressions.map(compileDeletion),
  }));
  return {
    strip(application, name) {
      const own = rules.filter((rule) => rule.name === undefined || rule.name === name);
      if (own.length === 0) return application;
      let copy = cloneJson(application);
      for (const { pointers, programs } of own) {
        for (const pointer of pointers) removeAt(copy, pointer);
        for (const program of programs) copy = run(program, copy);
      }
      return copy;
    },
  };
}
