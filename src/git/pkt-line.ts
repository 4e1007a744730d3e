/** One packet of git's wire format. */
export type Packet = { kind: 'data'; data: Buffer } | { kind: 'flush' | 'delimiter' | 'end' };

/** Text as a packet: four hex digits of length, then the text. */
export function packetLine(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}

/** All packets of a whole answer. Undefined when it is cut off or is something else. */
export function parsePackets(data: Buffer): Packet[] | undefined {
  const packets: Packet[] = [];
  let at = 0;
  while (at < data.length) {
    const digits = data.toString('latin1', at, at + 4);
    if (!/^[0-9a-f]{4}$/i.test(digits)) return undefined;
    const length = Number.parseInt(digits, 16);
    if (length === 3 || at + Math.max(4, length) > data.length) return undefined;
    const special = specials[length];
    packets.push(special ? { kind: special } : { kind: 'data', data: data.subarray(at + 4, at + length) });
    at += Math.max(4, length);
  }
  return packets;
}

const specials: Partial<Record<number, 'flush' | 'delimiter' | 'end'>> = { 0: 'flush', 1: 'delimiter', 2: 'end' };
