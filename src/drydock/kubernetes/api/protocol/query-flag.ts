import { badRequest } from './status-error.ts';

/** A boolean of the query string as upstream converts it: absent, `0` and `false` are false, everything else is true. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

/** A whole number of the query string; absent and empty are undefined. Throws 400 with the text Go's parser makes. */
export function queryInteger(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
