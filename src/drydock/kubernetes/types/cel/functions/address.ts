import { isIPv4, isIPv6 } from 'node:net';

/** Four or sixteen bytes. */
export type Address = readonly number[];

/** An address without zone that is not an IPv4 address written as IPv6. A text says what is wrong with it. */
export function parseAddress(written: string): Address | string {
  if (isIPv4(written)) return written.split('.').map(Number);
  const shown = JSON.stringify(written);
  if (written.includes('%') && isIPv6(written)) return `IP address ${shown} with zone value is not allowed`;
  if (!isIPv6(written)) {
    const why =
      /^\d+(?:\.\d+){0,2}$/.test(written) && written.includes('.') ? 'IPv4 address too short' : 'unable to parse IP';
    return `IP Address ${shown} parse error during conversion from string: ParseAddr(${shown}): ${why}`;
  }
  const address = bytesOfIpv6(written);
  const mapped = address.slice(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255;
  return mapped ? `IPv4-mapped IPv6 address ${shown} is not allowed` : address;
}

function bytesOfIpv6(written: string): number[] {
  const plain = written.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

/** The canonical form: the longest run of zeros as `::`, lower case. */
export function addressText(address: Address): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => (address[at * 2] ?? 0) * 256 + (address[at * 2 + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let at = 0; at < 8; at += 1) {
    let end = at;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - at > length) {
      start = at;
      length = end - at;
    }
  }
  const shown = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (start < 0) return shown(groups);
  return `${shown(groups.slice(0, start))}::${shown(groups.slice(start + length))}`;
}
