import { getArray, getObject, getString, isObject } from '#base/json.ts';

/** `a=b,c in (d,e),!f`, as upstream prints a label selector. */
export function selectorText(selector: unknown): string {
  if (!isObject(selector)) return '';
  const isLabelSelector = selector['matchLabels'] !== undefined || selector['matchExpressions'] !== undefined;
  const labels = isLabelSelector ? getObject(selector, 'matchLabels') : selector;
  const terms = Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${String(value)}` }));
  for (const item of isLabelSelector ? getArray(selector, 'matchExpressions') : []) {
    const key = getString(item, 'key') ?? '';
    const values = getArray(item, 'values').map(String).sort().join(',');
    terms.push({ key, text: expressionText(key, getString(item, 'operator') ?? '', values) });
  }
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}

function expressionText(key: string, operator: string, values: string): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values})`;
    case 'NotIn':
      return `${key} notin (${values})`;
    case 'Exists':
      return key;
    default:
      return `!${key}`;
  }
}
