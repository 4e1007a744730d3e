/**
 * The one place where secrets are taken out of text. Shapes that are secrets by themselves are always masked; values
 * learnt at run time (tokens minted or read by this process) are registered with `registerSecret`.
 */
const mask = '******';

const shapes: RegExp[] = [
  /\b(gh[pousr]_[A-Za-z0-9]{20,})\b/g,
  /\b(github_pat_[A-Za-z0-9_]{20,})\b/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/g,
  /(?<=:\/\/[^\s:/@]*:)[^\s@/]+(?=@)/g,
  /(?<=\b(?:Bearer|Basic|token) )[A-Za-z0-9._~+/=-]{8,}/g,
];

const limit = 10_000;
const registered = new Set<string>();

/** Masks every later occurrence of `value` in redacted text. Values under 6 characters are refused: they would mask prose. */
export function registerSecret(value: string): void {
  if (value.length < 6) return;
  if (registered.size >= limit) registered.delete(registered.values().next().value ?? '');
  registered.add(value);
}

export function redact(text: string): string {
  let out = text;
  for (const value of registered) if (out.includes(value)) out = out.replaceAll(value, mask);
  for (const shape of shapes) out = out.replace(shape, mask);
  return out;
}
