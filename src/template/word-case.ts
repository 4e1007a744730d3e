type WordKind = 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other' | 'none';

interface Word {
  kind: WordKind;
  text: string;
}

const connector = /^[-_\s]$/u;
const upper = /^\p{Lu}$/u;
const lower = /^\p{Ll}$/u;
const number = /^\p{N}$/u;
const punctuation = /^\p{P}$/u;

/** Letters that words are made of: a script without cases has none. */
function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character) && !/^[\p{Lo}\p{Lm}]$/u.test(character);
}

function kindOf(character: string): WordKind {
  if (connector.test(character)) return 'connector';
  if (punctuation.test(character)) return 'punctuation';
  if (upper.test(character)) return 'upper';
  if (isLetter(character)) return 'letters';
  return number.test(character) ? 'number' : 'other';
}

/** How many characters from `start` on make one word. */
function wordEnd(characters: readonly string[], start: number): number {
  const kind = kindOf(characters[start] ?? '');
  const run = (from: number, belongs: (character: string) => boolean) => {
    let at = from;
    while (at < characters.length && belongs(characters[at] ?? '')) at += 1;
    return at;
  };
  if (kind === 'punctuation') return run(start + 1, (character) => punctuation.test(character));
  if (kind !== 'upper') return run(start + 1, (character) => kindOf(character) === kind);
  if (upper.test(characters[start + 1] ?? '')) {
    const end = run(start + 1, (character) => upper.test(character));
    // The last capital of several begins the word that follows.
    return end < characters.length && isLetter(characters[end] ?? '') ? end - 1 : end;
  }
  return run(start + 1, (character) => isLetter(character) && !upper.test(character));
}

function words(text: string): Word[] {
  const characters = [...text];
  const found: Word[] = [];
  for (let at = 0; at < characters.length; ) {
    const end = wordEnd(characters, at);
    found.push({ kind: kindOf(characters[at] ?? ''), text: characters.slice(at, end).join('') });
    at = end;
  }
  return found;
}

/** `fooBar 2x` with `_` as `foo_bar_2x`: the words of xstrings, in lower case, joined by a connector. */
export function toJoinedCase(text: string, mark: string): string {
  const list = words(text);
  const none: Word = { kind: 'none', text: '' };
  let at = 0;
  let out = '';
  const take = () => list[at++] ?? none;
  const write = (word: Word) => {
    if (word.kind === 'upper') out += word.text.toLowerCase();
    else out += word.kind === 'connector' ? mark.repeat([...word.text].length) : word.text;
  };
  const joins = (word: Word) => word.kind !== 'none' && word.kind !== 'connector' && word.kind !== 'punctuation';
  let word = take();
  while (at < list.length) {
    if (word.kind !== 'connector') write(word);
    const previous = word;
    word = take();
    if (previous.kind === 'connector') write(previous);
    else if (previous.kind === 'number') {
      while (word.kind === 'letters' || word.kind === 'number') {
        write(word);
        word = take();
      }
      if (joins(word)) out += mark;
    } else if (previous.kind !== 'punctuation') {
      if (word.kind !== 'number') {
        if (joins(word)) out += mark;
        continue;
      }
      if (at >= list.length) continue;
      const digits = word;
      word = take();
      if (word.kind !== 'letters') {
        write(digits);
        if (joins(word)) out += mark;
        continue;
      }
      out += mark;
      write(digits);
      while (word.kind === 'letters' || word.kind === 'number') {
        write(word);
        word = take();
      }
      if (joins(word)) out += mark;
    }
  }
  write(word);
  return out;
}

/** `foo_bar` as `FooBar`. */
export function toPascalCase(text: string): string {
  const characters = [...text];
  let out = '';
  let at = 0;
  while (at < characters.length && connector.test(characters[at] ?? '')) out += characters[at++];
  // Connectors alone: the last is written once more.
  if (at >= characters.length) return out + (characters.at(-1) ?? '');
  let current = characters[at++] ?? '';
  let afterUpper = upper.test(current);
  current = current.toUpperCase();
  while (at < characters.length) {
    const previous = current;
    current = characters[at++] ?? '';
    if (connector.test(current) && connector.test(previous)) {
      out += previous;
      continue;
    }
    if (connector.test(previous)) {
      afterUpper = upper.test(current);
      current = current.toUpperCase();
      continue;
    }
    if (afterUpper) {
      if (upper.test(current)) current = current.toLowerCase();
      else afterUpper = false;
    }
    out += previous;
  }
  return out + current;
}

/** Small letters become capitals and capitals small ones. */
/** Small letters become capitals and capitals small ones. */
export function swapCase(text: string): string {
  return [...text]
    .map((character) => {
      if (/^[\p{Lu}\p{Lt}]$/u.test(character)) return character.toLowerCase();
      return lower.test(character) ? character.toUpperCase() : character;
    })
    .join('');
}
