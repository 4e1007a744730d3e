import { isObject } from '#base/json.ts';

/**
 * The value at a JSONPath as printer columns use it: `.a.b`, `.a['b\\.c']`, `.a[0]`, `.a[-1:]`, `.a[*].b`, `.a.*`, `..b`,
 * `.a[?(@.type=="Ready")].status`. Of several values the first; undefined when there is none.
 */
export function readJsonPath(value: unknown, path: string): unknown {
  let values: unknown[] = [value];
  for (const step of pathSteps(path)) values = values.flatMap((at) => follow(at, step));
  return values[0];
}

type Step =
  | { kind: 'member'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'slice'; from: number; to: number | undefined }
  | { kind: 'all' }
  | { kind: 'below' }
  | { kind: 'filter'; path: string; equal: boolean; value: string };

const stepPattern =
  /(\.\.)(?=[A-Za-z0-9_$*])|\.?(\*)|\.?([A-Za-z0-9_$-]+(?:\\\.[A-Za-z0-9_$/-]+)*)|\[\s*(-?\d+)\s*\]|\[\s*(-?\d*)\s*:\s*(-?\d*)\s*\]|\[\*\]|\['([^']*)'\]|\["([^"]*)"\]|\[\?\(\s*@\.([^=!\s]+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([^)\s]+))\s*\)\]/y;

function pathSteps(path: string): Step[] {
  const text = path.replace(/^\{?\$?/, '').replace(/\}$/, '');
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < text.length) {
    const match = stepPattern.exec(text);
    if (!match) return [{ kind: 'member', name: text }];
    steps.push(...stepsOf(match));
  }
  return steps;
}

function stepsOf(match: RegExpExecArray): Step[] {
  const [whole, below, star, member, index, from, to, quoted, doubleQuoted, filterPath, operator, a, b, c] = match;
  if (below !== undefined) return [{ kind: 'below' }];
  if (star !== undefined || whole === '[*]') return [{ kind: 'all' }];
  if (member !== undefined) return [{ kind: 'member', name: member.replaceAll('\\.', '.') }];
  if (index !== undefined) return [{ kind: 'index', index: Number(index) }];
  if (from !== undefined)
    return [{ kind: 'slice', from: Number(from), to: to === undefined || to === '' ? undefined : Number(to) }];
  if (filterPath !== undefined)
    return [{ kind: 'filter', path: `.${filterPath}`, equal: operator === '==', value: a ?? b ?? c ?? '' }];
  // A dot within the quotes separates all the same, unless it is escaped.
  const names = (quoted ?? doubleQuoted ?? '').split(/(?<!\\)\./);
  return names.map((name) => ({ kind: 'member', name: name.replaceAll('\\.', '.') }));
}

function follow(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'member':
      return isObject(value) && value[step.name] !== undefined ? [value[step.name]] : [];
    case 'index':
      return Array.isArray(value) ? value.slice(step.index).slice(0, 1) : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'below':
      return withAllBelow(value);
    case 'filter':
      return Array.isArray(value)
        ? value.filter((item) => (String(readJsonPath(item, step.path)) === step.value) === step.equal)
        : [];
  }
}

function withAllBelow(value: unknown): unknown[] {
  const inner = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  return [value, ...inner.flatMap(withAllBelow)];
}
