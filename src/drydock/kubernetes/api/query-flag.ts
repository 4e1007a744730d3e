/** A boolean of the query string as upstream converts it: absent, `0` and `false` are false, everything else is true. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}
