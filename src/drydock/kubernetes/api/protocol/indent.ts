/** Whether a person reads the answer: `pretty` in the query decides, else the programs that people type into. */
export function wantsIndent(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get('pretty') ?? '';
  if (asked !== '') return /^(1|t|true)$/i.test(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '');
}

const step = '  ';

/** JSON text, cut anywhere into pieces, as indented text; what stands between its tokens is made anew. */
export function* indented(pieces: Iterable<string>): Generator<string> {
  const state: State = { depth: 0, inText: false, escaped: false, opened: false };
  for (const piece of pieces) yield indentPiece(piece, state);
}

interface State {
  depth: number;
  inText: boolean;
  /** The character before was a backslash in a text. */
  escaped: boolean;
  /** The last token opened an object or list that has nothing in it yet. */
  opened: boolean;
}

function indentPiece(piece: string, state: State): string {
  let out = '';
  for (const character of piece) {
    if (state.inText) {
      out += character;
      if (state.escaped) state.escaped = false;
      else if (character === '\\') state.escaped = true;
      else if (character === '"') state.inText = false;
      continue;
    }
    out += token(character, state);
  }
  return out;
}

function token(character: string, state: State): string {
  switch (character) {
    case ' ':
    case '\n':
    case '\r':
    case '\t':
      return '';
    case '{':
    case '[': {
      const before = startOfValue(state);
      state.depth += 1;
      state.opened = true;
      return before + character;
    }
    case '}':
    case ']': {
      state.depth -= 1;
      const empty = state.opened;
      state.opened = false;
      return empty ? character : line(state) + character;
    }
    case ',':
      return `,${line(state)}`;
    case ':':
      return ': ';
    default:
      state.inText = character === '"';
      return startOfValue(state) + character;
  }
}

function startOfValue(state: State): string {
  if (!state.opened) return '';
  state.opened = false;
  return line(state);
}

function line({ depth }: State): string {
  return `\n${step.repeat(depth)}`;
}
