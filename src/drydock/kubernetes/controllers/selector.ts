import { getArray, getObject, getString, isObject } from '#base/json.ts';

export interface LabelSelector {
  matchLabels: Record<string, string>;
  matchExpressions: { key: string; operator: string; values: string[] }[];
}

/** A metav1.LabelSelector; undefined when there is none (which selects nothing). */
export function parseLabelSelector(value: unknown): LabelSelector | undefined {
  if (!isObject(value)) return undefined;
  const matchLabels: Record<string, string> = {};
  for (const [key, label] of Object.entries(getObject(value, 'matchLabels')))
    if (typeof label === 'string') matchLabels[key] = label;
  return {
    matchLabels,
    matchExpressions: getArray(value, 'matchExpressions').map((term) => ({
      key: getString(term, 'key') ?? '',
      operator: getString(term, 'operator') ?? '',
      values: getArray(term, 'values').filter((item): item is string => typeof item === 'string'),
    })),
  };
}

/** An empty selector matches everything, no selector nothing. */
export function matchesSelector(
  selector: LabelSelector | undefined,
  labels: Record<string, string> | undefined,
): boolean {
  if (!selector) return false;
  for (const [key, value] of Object.entries(selector.matchLabels)) if (labels?.[key] !== value) return false;
  return selector.matchExpressions.every((term) => matchesTerm(term, labels?.[term.key]));
}

function matchesTerm(term: { operator: string; values: string[] }, label: string | undefined): boolean {
  switch (term.operator) {
    case 'In':
      return label !== undefined && term.values.includes(label);
    case 'NotIn':
      return label === undefined || !term.values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
    case 'Gt':
      return label !== undefined && Number(label) > Number(term.values[0]);
    case 'Lt':
      return label !== undefined && Number(label) < Number(term.values[0]);
    default:
      return false;
  }
}
