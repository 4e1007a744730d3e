/**
 * Replaces `{{ key }}` by the text that `lookup` has for it, and leaves those in place that it does not know. A text
 * without a complete pair stays as it is.
 */
export function renderFastTemplate(text: string, lookup: (key: string) => string | undefined): string {
  if (!/\{\{.*\}\}/.test(text)) return text;
  let out = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) return out + text.slice(at);
    const close = text.indexOf('}}', open + 2);
    if (close < 0) return out + text.slice(at);
    const tag = text.slice(open + 2, close);
    const key = tag.trim();
    const value = key === '' ? undefined : lookup(key);
    out += text.slice(at, open) + (value ?? `{{${tag}}}`);
    at = close + 2;
  }
}
