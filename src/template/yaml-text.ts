import { formatFloat } from './format.ts';
import { formatTime } from './time.ts';
import { GoInt, GoObject, GoTime, isMap } from './value.ts';

const bestWidth = 80;
const longestKey = 128;

/** Order of keys in which numbers inside them count as numbers, as Go's YAML writer has it. */
function compareKeys(one: string, two: string): number {
  const [a, b] = [[...one], [...two]];
  const isLetter = (character: string | undefined) => /^\p{L}$/u.test(character ?? '');
  const isDigit = (character: string | undefined) => /^\p{Nd}$/u.test(character ?? '');
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const [left = '', right = ''] = [a[at], b[at]];
    if (left === right) continue;
    if (isLetter(left) && isLetter(right)) return (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
    if (isLetter(left) || isLetter(right)) return isLetter(right) ? -1 : 1;
    let leading = '';
    if (left === '0' || right === '0')
      for (let back = at - 1; back >= 0 && isDigit(a[back]); back -= 1) if (a[back] !== '0') leading = '1';
    const digits = (text: string[]) => {
      let end = at;
      while (isDigit(text[end])) end += 1;
      return text.slice(at, end).join('');
    };
    const [x, y] = [digits(a), digits(b)];
    const difference = BigInt(leading + x || '0') - BigInt(leading + y || '0');
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    return x.length - y.length || (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
  }
  return a.length - b.length;
}

const otherTypes =
  /^(?:|~|null|Null|NULL|y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const numberLike =
  /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*|(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$/;
const dateLike = /^\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d?:\d\d?(?:\.\d+)?[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?)?)?$/;

/** Would be read as something else than a text. */
function isOtherType(text: string): boolean {
  return otherTypes.test(text) || numberLike.test(text) || dateLike.test(text);
}

interface Analysis {
  plain: boolean;
  single: boolean;
  block: boolean;
}

/** Which styles can hold the text, by the rules of libyaml. */
function analyze(text: string): Analysis {
  const special = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(text);
  const spaceBreak = / \n/.test(text);
  const breakSpace = /\n /.test(text);
  const blocked = special || spaceBreak;
  const indicators =
    /^(?:---|\.\.\.)/.test(text) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-](?:[ \t\n]|$)/.test(text) ||
    /.:(?:[ \t\n]|$)/.test(text) ||
    /[ \t\n]#/.test(text);
  const edges = /^[ \n]|[ \n]$/.test(text);
  return {
    plain: !blocked && !edges && !breakSpace && !text.includes('\n') && !indicators,
    single: !blocked && !breakSpace,
    block: !blocked && !text.endsWith(' ') && text !== '',
  };
}

const doubleEscapes: Record<string, string> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeDouble(character: string): string {
  const known = doubleEscapes[character];
  if (known !== undefined) return known;
  if (/^[\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return code <= 0xffff
    ? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
    : `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`;
}

function isInteger64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 64;
}

class YamlWriter {
  out = '';
  #column = 0;

  put(text: string): void {
    this.out += text;
    const line = text.lastIndexOf('\n');
    this.#column = line < 0 ? this.#column + [...text].length : [...text.slice(line + 1)].length;
  }

  line(indent: number): void {
    if (this.#column > 0 || this.out === '') this.put(this.out === '' ? '' : '\n');
    this.put(' '.repeat(Math.max(0, indent - this.#column)));
  }

  /** `indent` is that of the lines a long scalar goes on in. */
  text(text: string, indent: number, isKey: boolean): void {
    const allowed = analyze(text);
    if (text.includes('\n') && allowed.block && !isKey) this.#literal(text, indent);
    else if (text.includes('\n') || isOtherType(text)) this.#double(text, indent, !isKey);
    else if (allowed.plain) this.#folded([...text], indent, !isKey, false);
    else if (allowed.single) {
      this.put("'");
      this.#folded([...text], indent, !isKey, true);
      this.put("'");
    } else this.#double(text, indent, !isKey);
  }

  /** A single space beyond the best width becomes a line break. */
  #folded(characters: readonly string[], indent: number, breaks: boolean, quoted: boolean): void {
    let spaces = false;
    characters.forEach((character, at) => {
      const inside = !quoted || (at > 0 && at < characters.length - 1);
      const folds = character === ' ' && breaks && !spaces && this.#column > bestWidth && inside;
      if (folds && characters[at + 1] !== ' ') this.#newLine(indent);
      else this.put(quoted && character === "'" ? "''" : character);
      spaces = character === ' ';
    });
  }

  #newLine(indent: number): void {
    this.put(`\n${' '.repeat(indent)}`);
  }

  #double(text: string, indent: number, breaks: boolean): void {
    this.put('"');
    let spaces = false;
    const characters = [...text];
    characters.forEach((character, at) => {
      const inside = at > 0 && at < characters.length - 1;
      if (character === ' ' && breaks && !spaces && this.#column > bestWidth && inside) {
        this.#newLine(indent);
        if (characters[at + 1] === ' ') this.put('\\');
      } else this.put(escapeDouble(character));
      spaces = character === ' ';
    });
    this.put('"');
  }

  #literal(text: string, indent: number): void {
    const hint = /^[ \n]/.test(text) ? '2' : '';
    const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
    this.put(`|${hint}${chomp}`);
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    for (const line of lines) this.put(line === '' ? '\n' : `\n${' '.repeat(indent)}${line}`);
  }

  value(value: unknown, indent: number, place: 'root' | 'member' | 'item'): void {
    if (Array.isArray(value) && value.length > 0)
      this.#list(value, place === 'member' ? indent : indent + (place === 'item' ? 2 : 0), place);
    else if (isMap(value) && Object.keys(value).length > 0)
      this.#map(value, place === 'root' ? indent : indent + 2, place);
    else {
      if (place === 'member') this.put(' ');
      this.#scalar(value, indent + 2);
    }
  }

  #scalar(value: unknown, indent: number): void {
    if (typeof value === 'string') this.text(value, indent, false);
    else if (Array.isArray(value)) this.put('[]');
    else if (isMap(value)) this.put('{}');
    else if (value instanceof GoTime)
      this.text(formatTime(value, '2006-01-02T15:04:05.999999999Z07:00'), indent, false);
    else if (value instanceof GoObject) this.text(value.text, indent, false);
    else if (value instanceof GoInt) this.put(value.value.toString());
    else if (typeof value === 'number') this.put(isInteger64(value) ? String(BigInt(value)) : formatFloat(value));
    else this.put(value === true ? 'true' : value === false ? 'false' : 'null');
  }

  #list(list: readonly unknown[], indent: number, place: 'root' | 'member' | 'item'): void {
    list.forEach((item, index) => {
      if (index > 0 || place === 'member') this.#newLine(indent);
      this.put('- ');
      this.value(item, indent, 'item');
    });
  }

  /** A long key, or one of several lines, is written with a question mark. */
  #key(key: string, indent: number): boolean {
    const simple = !key.includes('\n') && Buffer.byteLength(key) <= longestKey;
    if (!simple) this.put('? ');
    this.text(key, simple ? indent : indent + 2, simple);
    if (!simple) this.#newLine(indent);
    this.put(':');
    return simple;
  }

  #map(map: Record<string, unknown>, indent: number, place: 'root' | 'member' | 'item'): void {
    Object.keys(map)
      .sort(compareKeys)
      .forEach((key, index) => {
        if (index > 0 || place === 'member') this.#newLine(indent);
        const simple = this.#key(key, indent);
        if (!simple) this.put(' ');
        this.value(map[key], indent, simple ? 'member' : 'item');
      });
  }
}

/** A value as Go's sigs.k8s.io/yaml writes it, without the last line break. */
export function toYamlText(value: unknown): string {
  const writer = new YamlWriter();
  writer.value(value, 0, 'root');
  return writer.out;
}
