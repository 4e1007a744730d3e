import { quotedEscapes } from '../../go-format.ts';

/** A literal that stands for the text. */
export function quoted(value: string): string {
  return `"${[...value].map((each) => quotedEscapes[each] ?? each).join('')}"`;
}
