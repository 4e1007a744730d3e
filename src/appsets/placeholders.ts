import { isAppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { renderFastTemplate } from '#template/fast-template.ts';
import { compileTemplate, missingKeyOf, type TemplateDeps } from '#template/template.ts';
import { ofType } from '#template/value.ts';
import type { Params } from './params.ts';

export interface TemplateStyle {
  goTemplate: boolean;
  goTemplateOptions: readonly string[];
}

/** Fills the placeholders of texts with parameters, in the language that an ApplicationSet chose. */
export interface Placeholders {
  readonly style: TemplateStyle;
  /** Throws AppError bad-input or limit. */
  text(template: string, params: Params): string;
  /** Every text of a value, keys of objects too. */
  value(template: unknown, params: Params): unknown;
}

export function placeholders(style: TemplateStyle, deps: TemplateDeps): Placeholders {
  const missingKey = missingKeyOf(style.goTemplateOptions);
  const text = (template: string, params: Params) => {
    if (!template.includes('{{')) return template;
    if (style.goTemplate) return compileTemplate(template, { missingKey }).render(params, deps);
    return renderFastTemplate(template, (key) => {
      const value = Object.hasOwn(params, key) ? params[key] : undefined;
      return typeof value === 'string' ? value : undefined;
    });
  };
  return { style, text, value: (template, params) => replaceDeep(template, (part) => text(part, params)) };
}

function replaceDeep(template: unknown, replace: (text: string) => string): unknown {
  if (typeof template === 'string') return replace(template);
  if (Array.isArray(template)) return template.map((item: unknown) => replaceDeep(item, replace));
  if (!isObject(template)) return template;
  const out: JsonObject = {};
  for (const [key, member] of Object.entries(template)) {
    if (member === undefined || member === null) continue;
    const value = replaceDeep(member, replace);
    Object.defineProperty(out, replace(key), { value, writable: true, enumerable: true, configurable: true });
  }
  return out;
}

/**
 * A child generator with the parameters of the one before it. Its own `values` may name what only itself gives: those
 * that cannot be filled yet stay as they are.
 */
export function interpolateGenerator(
  generator: JsonObject,
  params: Params,
  fill: Placeholders,
  deps: TemplateDeps,
): JsonObject {
  if (Object.keys(params).length === 0) return generator;
  const strict = placeholders({ ...fill.style, goTemplateOptions: ['missingkey=error'] }, deps);
  const out: JsonObject = {};
  for (const [kind, spec] of Object.entries(generator)) {
    if (kind === 'selector') {
      out[kind] = spec;
      continue;
    }
    const replaced = fill.style.goTemplate && isObject(spec) && ownValues.has(kind) ? withoutValues(spec) : spec;
    const filled = fill.value(replaced, params);
    out[kind] = filled;
    if (replaced !== spec && isObject(filled) && isObject(spec) && isObject(spec['values']))
      filled['values'] = fillKnown(spec['values'], params, strict);
  }
  return out;
}

const ownValues = new Set(['clusters', 'git', 'scmProvider', 'clusterDecisionResource', 'pullRequest', 'plugin']);

function withoutValues(spec: JsonObject): JsonObject {
  const { values: _own, ...rest } = spec;
  return rest;
}

function fillKnown(values: JsonObject, params: Params, strict: Placeholders): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(values)) {
    try {
      out[key] = typeof value === 'string' ? strict.text(value, params) : value;
    } catch (error) {
      if (!isAppError(error) || !/map has no entry for key|can't evaluate field|nil data; no entry/.test(error.message))
        throw error;
      out[key] = value;
    }
  }
  return out;
}

/** Adds a generator's `values`, filled with its own parameters: `values.<key>`, with Go templates `.values.<key>`. */
export function addValues(params: Params, values: unknown, fill: Placeholders): Params {
  if (!isObject(values) || Object.keys(values).length === 0) return params;
  const filled = Object.entries(values).map(([key, value]) => [key, fill.text(String(value), params)] as const);
  if (fill.style.goTemplate) return { ...params, values: ofType(Object.fromEntries(filled), 'string') };
  return { ...params, ...Object.fromEntries(filled.map(([key, value]) => [`values.${key}`, value])) };
}
