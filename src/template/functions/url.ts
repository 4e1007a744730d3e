import type { JsonObject } from '#base/json.ts';
import { CallError } from '../call-error.ts';
import { quote } from '../format.ts';
import { type FunctionMap, fn } from '../function.ts';
import { isMap, kindName, newMap } from '../value.ts';

const kept = {
  path: /[A-Za-z0-9\-_.~$&+,/:;=@]/,
  fragment: /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/,
  userinfo: /[A-Za-z0-9\-_.~$&+,;=]/,
};

function encode(text: string, where: keyof typeof kept): string {
  let out = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    const plain = kept[where].test(character) || (where === 'path' && /[!'()*[\]]/.test(character));
    out += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

function decode(text: string, url: string): string {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text);
  if (bad) throw new CallError(`unable to parse url: parse ${quote(url)}: invalid URL escape ${quote(bad[0])}`);
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return /%/.test(text) ? Buffer.from(bytes, 'latin1').toString('utf8') : text;
}

/** The parts of a URL by Go's net/url. */
function parse(url: string): JsonObject {
  const part = newMap();
  for (const name of ['scheme', 'host', 'hostname', 'path', 'query', 'opaque', 'fragment', 'userinfo']) part[name] = '';
  if (/[\0-\x1f\x7f]/.test(url))
    throw new CallError(`unable to parse url: parse ${quote(url)}: net/url: invalid control character in URL`);
  const hash = url.indexOf('#');
  let rest = hash < 0 ? url : url.slice(0, hash);
  if (hash >= 0) part['fragment'] = decode(url.slice(hash + 1), url);
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest);
  if (scheme) {
    part['scheme'] = (scheme[1] ?? '').toLowerCase();
    rest = rest.slice(scheme[0].length);
  } else if (rest.startsWith(':'))
    throw new CallError(`unable to parse url: parse ${quote(url)}: missing protocol scheme`);
  const question = rest.indexOf('?');
  if (question >= 0) part['query'] = rest.slice(question + 1);
  if (question >= 0) rest = rest.slice(0, question);
  if (!rest.startsWith('/') && scheme) {
    part['opaque'] = rest;
    return part;
  }
  if (!rest.startsWith('/') && /^[^/]*:/.test(rest))
    throw new CallError(`unable to parse url: parse ${quote(url)}: first path segment in URL cannot contain colon`);
  const authority = scheme || !rest.startsWith('///') ? /^\/\/([^/]*)/.exec(rest) : null;
  if (authority) {
    const text = authority[1] ?? '';
    const at = text.lastIndexOf('@');
    if (at >= 0) part['userinfo'] = text.slice(0, at);
    part['host'] = decode(text.slice(at + 1), url);
    part['hostname'] = text
      .slice(at + 1)
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1');
    rest = rest.slice(authority[0].length);
  }
  part['path'] = decode(rest, url);
  return part;
}

function join(parts: JsonObject): string {
  const read = (name: string): string => {
    const value = Object.hasOwn(parts, name) ? parts[name] : '';
    if (typeof value === 'string') return value;
    throw new CallError(`unable to parse ${name} key, must be of type string, but ${kindName(value)} found`);
  };
  const [scheme, host, path, opaque] = [read('scheme'), read('host'), read('path'), read('opaque')];
  const [query, fragment, userinfo] = [read('query'), read('fragment'), read('userinfo')];
  let out = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') out += opaque;
  else {
    if (scheme !== '' || host !== '' || userinfo !== '') {
      if (host !== '' || path !== '' || userinfo !== '') out += '//';
      if (userinfo !== '')
        out += `${userinfo
          .split(':')
          .map((text) => encode(decode(text, userinfo), 'userinfo'))
          .join(':')}@`;
      out += host;
    }
    const encoded = encode(path, 'path');
    if (encoded !== '' && !encoded.startsWith('/') && host !== '') out += '/';
    if (out === '' && /^[^/]*:/.test(encoded)) out += './';
    out += encoded;
  }
  if (query !== '') out += `?${query}`;
  return fragment === '' ? out : `${out}#${encode(fragment, 'fragment')}`;
}

export const urlFunctions: FunctionMap = {
  urlParse: fn(['string'], parse),
  urlJoin: fn(['dict'], (parts) => (isMap(parts) ? join(parts) : '')),
};
