const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualified})?`;

export type NameRule = 'subdomain' | 'label' | 'label1035' | 'path';

const rules = {
  subdomain: {
    pattern: whole(subdomain),
    longest: 253,
    text: regexText(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      subdomain,
      ['example.com'],
    ),
  },
  label: {
    pattern: whole(label),
    longest: 63,
    text: regexText(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
      label,
      ['my-name', '123-abc'],
    ),
  },
  label1035: {
    pattern: whole(label1035),
    longest: 63,
    text: regexText(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      label1035,
      ['my-name', 'abc-123'],
    ),
  },
} as const;

const qualifiedText = regexText(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualified,
  ['MyName', 'my.name', '123-abc'],
);
const labelValueText = regexText(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  labelValue,
  ['MyValue', 'my_value', '12345'],
);
const qualifiedPattern = whole(qualified);
const labelValuePattern = whole(labelValue);
const configKeyPattern = /^[-._a-zA-Z0-9]+$/;

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

function regexText(text: string, pattern: string, examples: string[]): string {
  const list = examples.map((example) => `'${example}', `).join(' or ');
  return `${text} (e.g. ${list}regex used for validation is '${pattern}')`;
}

function longest(limit: number): string {
  return `must be no more than ${limit} characters`;
}

/** What is wrong with an object's name; empty when nothing. */
export function nameErrors(name: string, rule: NameRule): string[] {
  if (rule === 'path') return pathErrors(name);
  const { pattern, longest: limit, text } = rules[rule];
  const errors = name.length > limit ? [longest(limit)] : [];
  return pattern.test(name) ? errors : [...errors, text];
}

function pathErrors(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

/** A label or annotation key: `example.com/name`. */
export function qualifiedNameErrors(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const errors: string[] = [];
  const name = parts[parts.length - 1] ?? '';
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...nameErrors(prefix, 'subdomain').map((error) => `prefix part ${error}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${longest(63)}`);
  if (!qualifiedPattern.test(name)) errors.push(`name part ${qualifiedText}`);
  return errors;
}

export function labelValueErrors(value: string): string[] {
  const errors = value.length > 63 ? [longest(63)] : [];
  return labelValuePattern.test(value) ? errors : [...errors, labelValueText];
}

export function configKeyErrors(key: string): string[] {
  const errors = key.length > 253 ? [longest(253)] : [];
  if (!configKeyPattern.test(key)) {
    errors.push(
      regexText("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", '[-._a-zA-Z0-9]+', [
        'key.name',
        'KEY_NAME',
        'key-name',
      ]),
    );
  }
  return [...errors, ...(key === '.' || key === '..' ? [`must not be '${key}'`] : [])];
}

export function portNameErrors(name: string): string[] {
  const errors: string[] = [];
  if (name.length > 15) errors.push(longest(15));
  if (!/^[-a-z0-9]+$/.test(name)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)');
  if (name.includes('--')) errors.push('must not contain consecutive hyphens');
  if (/^-|-$/.test(name)) errors.push('must not begin or end with a hyphen');
  return errors;
}

/** 1.33 takes any printable ASCII but `=`. */
export function variableNameErrors(name: string): string[] {
  if (/^[ -<>-~]+$/.test(name)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}
