import { parseDocument, type Scalar } from 'yaml';

/**
 * `value` as it stands in YAML in place of `present`: in the same quotes, or plain where every reader, of YAML 1.1 or 1.2,
 * takes a plain one for the same kind of value as before; else in double quotes.
 */
export function writeScalar(present: Pick<Scalar, 'type' | 'value' | 'tag'>, value: string): string {
  if (present.type === 'QUOTE_DOUBLE') return JSON.stringify(value);
  if (present.type === 'QUOTE_SINGLE' && isPrintable(value)) return `'${value.replaceAll("'", "''")}'`;
  const wasText =
    typeof present.value === 'string' || present.value === null || present.tag === 'tag:yaml.org,2002:str';
  return wasText ? (isPlainText(value) ? value : JSON.stringify(value)) : typedLike(present.value, value);
}

function isPrintable(value: string): boolean {
  return /^[^\x00-\x1f\x7f\u0085\u2028\u2029\ufeff]*$/.test(value);
}

/** Stays a number or a boolean only where the text is the value's own: `1.10` as a number would become 1.1. */
function typedLike(present: unknown, value: string): string {
  if (typeof present === 'boolean' && /^(?:true|false)$/.test(value)) return value;
  if ((typeof present === 'number' || typeof present === 'bigint') && String(Number(value)) === value) return value;
  return isPlainText(value) ? value : JSON.stringify(value);
}

function isPlainText(value: string): boolean {
  if (value === '' || !isPrintable(value) || /[,[\]{}]/.test(value)) return false;
  if (/^(?:y|n|yes|no|on|off|true|false|null|~|=|<<)$/i.test(value)) return false;
  return (['1.1', '1.2'] as const).every((version) => {
    const document = parseDocument(`k: ${value}\n`, { version, merge: false });
    return document.errors.length === 0 && document.warnings.length === 0 && document.get('k') === value;
  });
}
