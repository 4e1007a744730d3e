/** The texts of JSON objects that stand one after another; undefined when there is something else. */
export function splitJsonStream(text: string): string[] | undefined {
  const out: string[] = [];
  let depth = 0;
  let start = -1;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
      continue;
    }
    if (depth === 0 && character !== '{') {
      if (/\s/.test(character)) continue;
      return undefined;
    }
    if (character === '"') quoted = true;
    else if (character === '{' || character === '[') {
      if (depth === 0) start = at;
      depth += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) out.push(text.slice(start, at + 1));
    }
  }
  return depth === 0 && !quoted ? out : undefined;
}
