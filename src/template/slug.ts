const longestName = 253;

/** A text as a DNS name: small letters, digits, `-` and `.`, at most 253. */
export function normalizeName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-a-z0-9.]/gu, '-')
    .slice(0, longestName)
    .replace(/^[-.]+|[-.]+$/g, '');
}

const words: Record<string, string> = {
  '&': 'and',
  '@': 'at',
  '"': '',
  "'": '',
  '’': '',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
};
const letters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  ø: 'o',
  Ø: 'O',
  œ: 'oe',
  Œ: 'OE',
  đ: 'd',
  Đ: 'D',
  ł: 'l',
  Ł: 'L',
  ð: 'd',
  þ: 'th',
};

function transliterate(text: string): string {
  const plain = [...text].map((character) => words[character] ?? letters[character] ?? character).join('');
  return plain.normalize('NFKD').replace(/\p{M}/gu, '');
}

/** A text for a URL or a name: at most `maxLength`, cut where a word ends when `smart`. */
export function toSlug(text: string, maxLength = 50, smart = true): string {
  let slug = transliterate(text.trim()).toLowerCase();
  if (!smart && slug.length >= maxLength) slug = slug.slice(0, maxLength);
  slug = slug
    .replace(/[^a-z0-9-_]/gu, '-')
    .replace(/-+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  if (!smart || maxLength <= 0 || slug.length <= maxLength) return slug;
  const end = slug.lastIndexOf('-', maxLength);
  return end >= 0 ? slug.slice(0, end) : slug.slice(0, maxLength);
}

/** A branch name as a slug: `_` separates too. */
export function branchSlug(branch: string): string {
  return toSlug(branch.replaceAll('_', '-'));
}
