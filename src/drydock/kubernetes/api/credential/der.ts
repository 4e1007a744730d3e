/** Writers for the few ASN.1 DER types that certificates are made of. */
export function sequence(...parts: Uint8Array[]): Buffer {
  return element(0x30, ...parts);
}

export function set(...parts: Uint8Array[]): Buffer {
  return element(0x31, ...parts);
}

/** Context-specific, constructed. */
export function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  return element(0xa0 + tag, ...parts);
}

/** Context-specific, primitive. */
export function implicit(tag: number, content: Uint8Array): Buffer {
  return element(0x80 + tag, content);
}

/** A non-negative integer, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = bytes.subarray(start);
  const lead = (trimmed[0] ?? 0) >= 0x80 ? Buffer.of(0) : Buffer.alloc(0);
  return element(0x02, lead, trimmed);
}

export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.of(value ? 0xff : 0));
}

export function octets(content: Uint8Array): Buffer {
  return element(0x04, content);
}

/** A bit string of whole bytes, or with `unused` bits at its end. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return element(0x03, Buffer.of(unused), content);
}

export function utf8(text: string): Buffer {
  return element(0x0c, Buffer.from(text, 'utf8'));
}

/** UTCTime before 2050, GeneralizedTime from then on, as RFC 5280 asks. */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return Number(text.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(text.slice(2), 'ascii'))
    : element(0x18, Buffer.from(text, 'ascii'));
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 127];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), content]);
  const size: number[] = [];
  for (let left = length; left > 0; left >>>= 8) size.unshift(left & 255);
  return Buffer.concat([Buffer.of(tag, 0x80 | size.length, ...size), content]);
}
