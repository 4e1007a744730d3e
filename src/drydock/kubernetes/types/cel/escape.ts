const keywords = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const parts: Record<string, string> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' };
const back = new Map(Object.entries(parts).map(([plain, escaped]) => [escaped, plain]));

export function isKeyword(name: string): boolean {
  return keywords.has(name);
}

/** A property's name as rules write it; undefined when they cannot. */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined;
  if (keywords.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (part) => parts[part] ?? part);
}

/** The property that an escaped name stands for. */
export function unescapeName(name: string): string {
  const keyword = /^__([a-z]+)__$/.exec(name)?.[1];
  if (keyword !== undefined && keywords.has(keyword)) return keyword;
  return name.replace(/__(?:underscores|dot|dash|slash)__/g, (part) => back.get(part) ?? part);
}
