import { isOfFormat } from '../../string-format.ts';
import { labelValueErrors, nameErrors, qualifiedNameErrors } from '../../validate/names.ts';
import { define, method, type Overload, opaqueOf, text } from '../overload.ts';
import { libraryTypes } from '../type.ts';
import { listValue, none, type OpaqueValue, optionalValue } from '../value.ts';
import { parseRequestUrl } from './url.ts';

const type = libraryTypes.Format;

type Check = (value: string) => string[];

/** A generated name's prefix may end in a dash. */
function ofPrefix(check: Check): Check {
  return (value) => check(value.endsWith('-') ? `${value.slice(0, -1)}a` : value);
}

function ofKind(format: string, why: string): Check {
  return (value) => (isOfFormat(format, value) ? [] : [why]);
}

const label: Check = (value) => nameErrors(value, 'label');
const subdomain: Check = (value) => nameErrors(value, 'subdomain');
const label1035: Check = (value) => nameErrors(value, 'label1035');

const checks: Record<string, Check> = {
  dns1123Label: label,
  dns1123Subdomain: subdomain,
  dns1035Label: label1035,
  qualifiedName: qualifiedNameErrors,
  dns1123LabelPrefix: ofPrefix(label),
  dns1123SubdomainPrefix: ofPrefix(subdomain),
  dns1035LabelPrefix: ofPrefix(label1035),
  labelValue: labelValueErrors,
  uri: (value) => {
    const parsed = parseRequestUrl(value);
    return typeof parsed === 'string' ? [`parse ${JSON.stringify(value)}: ${parsed}`] : [];
  },
  uuid: ofKind('uuid', 'does not match the UUID format'),
  byte: ofKind('byte', 'invalid base64'),
  date: ofKind('date', 'invalid date'),
  datetime: ofKind('datetime', 'invalid datetime'),
};

/** Named formats: `format.dns1123Label().validate(self.name)` gives what is wrong, or nothing. */
export const formatFunctions: Overload[] = [
  ...Object.keys(checks).flatMap((name) => define(`format.${name}`, '-> Format', () => formatValue(name))),
  ...define('format.named', 'string -> optional(Format)', ([name]) =>
    Object.hasOwn(checks, text(name)) ? optionalValue(formatValue(text(name))) : none,
  ),
  ...method('validate', 'Format, string -> optional(list(string))', ([format, value]) => {
    const { data } = opaqueOf(format, type);
    const errors = checks[String(data)]?.(text(value)) ?? [];
    return errors.length === 0 ? none : optionalValue(listValue(errors));
  }),
];

function formatValue(name: string): OpaqueValue {
  return { kind: 'opaque', type, size: 1, data: name, equals: (other) => other.data === name };
}
