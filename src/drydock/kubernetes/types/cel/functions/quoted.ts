const quotes: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** A literal that stands for the text. */
export function quoted(value: string): string {
  return `"${[...value].map((each) => quotes[each] ?? each).join('')}"`;
}
