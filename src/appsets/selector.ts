import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

interface Requirement {
  key: string;
  operator: string;
  values: string[];
}

export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

const qualifiedName = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

function requirementsOf(selector: unknown): Requirement[] {
  if (!isObject(selector)) return [];
  const { matchLabels, matchExpressions } = selector;
  const labels = isObject(matchLabels) ? Object.entries(matchLabels) : [];
  const expressions: unknown[] = Array.isArray(matchExpressions) ? matchExpressions : [];
  return [
    ...labels.map(([key, value]) => ({ key, operator: '=', values: [String(value)] })),
    ...expressions.map((item) => {
      const expression = isObject(item) ? item : {};
      const { values } = expression;
      return {
        key: String(expression['key'] ?? ''),
        operator: String(expression['operator'] ?? ''),
        values: Array.isArray(values) ? values.map(String) : [],
      };
    }),
  ];
}

function check({ key, operator, values }: Requirement): void {
  const refuse = (why: string) => {
    throw new AppError('bad-input', `error parsing label selector: ${why}`);
  };
  if (!qualifiedName.test(key)) refuse(`key: Invalid value: ${JSON.stringify(key)}`);
  if (!/^(?:=|In|NotIn|Exists|DoesNotExist)$/.test(operator))
    refuse(`${JSON.stringify(operator)} is not a valid operator`);
  if (/In$/.test(operator) && values.length === 0) refuse(`for 'in', 'notin' operators, values set can't be empty`);
  if (/Exist/.test(operator) && values.length > 0) refuse('values set must be empty for exists and does not exist');
}

function holds({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'NotIn':
      return value === undefined || !values.includes(value);
    default:
      return value !== undefined && values.includes(value);
  }
}

/** A LabelSelector whose values may be any text; an empty one selects everything. Throws AppError bad-input. */
export function parseSelector(selector: unknown): Selector {
  const requirements = requirementsOf(selector);
  for (const requirement of requirements) check(requirement);
  return (labels) => requirements.every((requirement) => holds(requirement, labels));
}

export function isEmptySelector(selector: unknown): boolean {
  return requirementsOf(selector).length === 0;
}

/** As a list request takes it. */
export function selectorText(selector: unknown): string {
  const requirements = requirementsOf(selector);
  for (const requirement of requirements) check(requirement);
  const text = ({ key, operator, values }: Requirement) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return operator === '=' ? `${key}=${values[0]}` : `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  };
  return requirements.map(text).join(',');
}
