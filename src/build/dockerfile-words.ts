import { AppError } from '#base/errors.ts';

/** Splits at blanks outside quotes; quotes and escapes stay in the words. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\\' && quote !== "'" && at + 1 < text.length) {
      word += char + text[at + 1];
      at += 1;
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (quote === char) quote = '';
      else if (quote === '' && (char === '"' || char === "'")) quote = char;
      word += char;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** Takes quotes and escapes out of a word and puts variables in, as Dockerfiles do. Unknown variables are empty. */
export function expandWord(word: string, variables: ReadonlyMap<string, string>): string {
  let out = '';
  let quote = '';
  for (let at = 0; at < word.length; at += 1) {
    const char = word[at] ?? '';
    if (quote === "'") {
      if (char === "'") quote = '';
      else out += char;
    } else if (char === '\\') {
      const next = word[at + 1];
      const keeps = quote === '"' && next !== undefined && !'"$\\'.includes(next);
      out += keeps ? `\\${next}` : (next ?? '\\');
      at += 1;
    } else if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === '$') {
      const found = readVariable(word.slice(at + 1), variables);
      out += found.value;
      at += found.length;
    } else out += char;
  }
  if (quote !== '') throw new AppError('bad-input', `unclosed ${quote} in ${word}`);
  return out;
}

function readVariable(text: string, variables: ReadonlyMap<string, string>): { value: string; length: number } {
  const plain = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text)?.[0];
  if (plain !== undefined) return { value: variables.get(plain) ?? '', length: plain.length };
  if (!text.startsWith('{')) return { value: '$', length: 0 };
  const match = /^\{([A-Za-z_][A-Za-z0-9_]*)(?:(:[-+])([^}]*))?\}/.exec(text);
  if (!match) throw new AppError('unsupported', `the variable expression $${text.slice(0, 40)} is not supported`);
  const [whole, name = '', operator, word = ''] = match;
  const value = variables.get(name) ?? '';
  const set = value !== '';
  if (operator === ':-') return { value: set ? value : expandWord(word, variables), length: whole.length };
  if (operator === ':+') return { value: set ? expandWord(word, variables) : '', length: whole.length };
  return { value, length: whole.length };
}
