import { define, method, type Overload, opaqueOf, text } from '../overload.ts';
import { libraryTypes } from '../type.ts';
import { type CelValue, EvaluationError, listValue, mapValue, type OpaqueValue } from '../value.ts';

const type = libraryTypes.Url;

export interface RequestUrl {
  scheme: string;
  host: string;
  path: string;
  query: string;
}

/** URLs: absolute ones and absolute paths. */
export const urlFunctions: Overload[] = [
  ...define('url', 'string -> Url', ([value]) => {
    const parsed = parseRequestUrl(text(value));
    if (typeof parsed !== 'string') return urlValue(parsed, text(value));
    throw new EvaluationError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text(value))}: ${parsed}`,
    );
  }),
  ...define('isURL', 'string -> bool', ([value]) => typeof parseRequestUrl(text(value)) !== 'string'),
  ...method('getScheme', 'Url -> string', ([value]) => read(value).scheme),
  ...method('getHost', 'Url -> string', ([value]) => read(value).host),
  ...method('getHostname', 'Url -> string', ([value]) => hostName(read(value).host)),
  ...method('getPort', 'Url -> string', ([value]) => /:(\d*)$/.exec(read(value).host)?.[1] ?? ''),
  ...method('getEscapedPath', 'Url -> string', ([value]) => read(value).path),
  ...method('getQuery', 'Url -> map(string, list(string))', ([value]) => queryMap(read(value).query)),
];

/** As a request line may name it; a text says why it may not. */
export function parseRequestUrl(whole: string): RequestUrl | string {
  if (whole === '') return 'empty url';
  if (/[\x00-\x1f\x7f]/.test(whole)) return 'net/url: invalid control character in URL';
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(whole) ?? [];
  if (scheme === '' && whole.startsWith(':')) return 'missing protocol scheme';
  const [before = '', ...queries] = rest.replace(/#.*$/s, '').split('?');
  const query = queries.join('?');
  if (!before.startsWith('/')) {
    if (scheme === '') return 'invalid URI for request';
    return { scheme: scheme.toLowerCase(), host: '', path: '', query };
  }
  const [, authority, path = ''] = (scheme !== '' ? /^\/\/([^/]*)(.*)$/s.exec(before) : null) ?? [
    '',
    undefined,
    before,
  ];
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) {
    const wrong = /%(?![0-9A-Fa-f]{2})[\s\S]{0,2}/.exec(path)?.[0] ?? '';
    return `invalid URL escape ${JSON.stringify(wrong)}`;
  }
  const host = authority?.slice(authority.lastIndexOf('@') + 1) ?? '';
  const refusal = hostRefusal(host);
  return refusal ?? { scheme: scheme.toLowerCase(), host, path: escapedPath(path), query };
}

function hostRefusal(host: string): string | undefined {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0) return "missing ']' in host";
    return portRefusal(host.slice(end + 1));
  }
  const wrong = /[ "<>\\^`{|}]/.exec(host)?.[0];
  if (wrong !== undefined) return `invalid character ${JSON.stringify(wrong)} in host name`;
  const colon = host.lastIndexOf(':');
  return colon < 0 ? undefined : portRefusal(host.slice(colon));
}

function portRefusal(port: string): string | undefined {
  return port === '' || /^:\d*$/.test(port) ? undefined : `invalid port ${JSON.stringify(port)} after host`;
}

function escapedPath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@%/[\]]+/g, (part) => encodeURIComponent(part));
}

function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.lastIndexOf(']')).replace('%25', '%');
  return host.replace(/:\d*$/, '');
}

/** Go takes no pair with a semicolon. */
function withoutSemicolons(query: string): string {
  return query
    .split('&')
    .filter((pair) => !pair.includes(';'))
    .join('&');
}

function queryMap(query: string): CelValue {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(withoutSemicolons(query))) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return mapValue([...values].map(([name, items]) => [name, listValue(items)]));
}

const data = new WeakMap<OpaqueValue, RequestUrl>();

function read(value: CelValue | undefined): RequestUrl {
  return data.get(opaqueOf(value, type)) ?? { scheme: '', host: '', path: '', query: '' };
}

function urlValue(url: RequestUrl, written: string): OpaqueValue {
  const value: OpaqueValue = {
    kind: 'opaque',
    type,
    size: 1,
    data: written,
    equals: (other) => other.data === written,
  };
  data.set(value, url);
  return value;
}
