import { isObject } from '#base/json.ts';

/**
 * The value at a simple JSONPath as printer columns use it: `.a.b`, `.a['b.c']`, `.a[0]`, `.a[*].b`,
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
  | { kind: 'all' }
  | { kind: 'filter'; path: string; equal: boolean; value: string };

const stepPattern =
  /\.([A-Za-z0-9_$-]+(?:\\\.[A-Za-z0-9_$/-]+)*)|\[\s*(-?\d+)\s*\]|\[\*\]|\['([^']*)'\]|\["([^"]*)"\]|\[\?\(\s*@\.([^=!\s]+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([^)\s]+))\s*\)\]/y;

function pathSteps(path: string): Step[] {
  const text = path.replace(/^\{?\$?/, '').replace(/\}$/, '');
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < text.length) {
    const match = stepPattern.exec(text);
    if (!match) return [{ kind: 'member', name: text }];
    const [whole, member, index, quoted, doubleQuoted, filterPath, operator, a, b, c] = match;
    if (member !== undefined) steps.push({ kind: 'member', name: member.replaceAll('\\.', '.') });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else if (whole === '[*]') steps.push({ kind: 'all' });
    else if (filterPath !== undefined)
      steps.push({ kind: 'filter', path: `.${filterPath}`, equal: operator === '==', value: a ?? b ?? c ?? '' });
    else steps.push({ kind: 'member', name: quoted ?? doubleQuoted ?? '' });
  }
  return steps;
}

function follow(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'member':
      return isObject(value) && value[step.name] !== undefined ? [value[step.name]] : [];
    case 'index':
      return Array.isArray(value) ? value.slice(step.index).slice(0, 1) : [];
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'filter':
      return Array.isArray(value)
        ? value.filter((item) => (String(readJsonPath(item, step.path)) === step.value) === step.equal)
        : [];
  }
}
