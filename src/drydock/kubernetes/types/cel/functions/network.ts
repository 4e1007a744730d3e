import { define, method, type Overload, opaqueOf, text } from '../overload.ts';
import { libraryTypes } from '../type.ts';
import { type CelValue, EvaluationError, noSuchOverload, type OpaqueValue } from '../value.ts';
import { type Address, addressText, parseAddress } from './address.ts';

const ip = libraryTypes.Ip;
const cidr = libraryTypes.Cidr;

interface Range {
  address: Address;
  bits: number;
}

function addressTest(name: string, test: (address: Address) => boolean): Overload[] {
  return method(name, 'Ip -> bool', ([value]) => test(readIp(value)));
}

/** Addresses and ranges: `ip('10.0.0.1')`, `cidr('10.0.0.0/8').containsIP('10.1.1.1')`. */
export const networkFunctions: Overload[] = [
  ...define('ip', 'string -> Ip', ([value]) => ipValue(neededAddress(text(value)))),
  ...define('isIP', 'string -> bool', ([value]) => typeof parseAddress(text(value)) !== 'string'),
  ...define('ip.isCanonical', 'string -> bool', ([value]) => {
    const written = text(value);
    return addressText(neededAddress(written)) === written;
  }),
  ...method('family', 'Ip -> int', ([value]) => (readIp(value).length === 4 ? 4n : 6n)),
  ...addressTest('isUnspecified', (address) => address.every((byte) => byte === 0)),
  ...addressTest('isLoopback', isLoopback),
  ...addressTest('isLinkLocalMulticast', isLinkLocalMulticast),
  ...addressTest('isLinkLocalUnicast', isLinkLocalUnicast),
  ...addressTest('isGlobalUnicast', isGlobalUnicast),
  ...define('string', 'Ip -> string', ([value]) => addressText(readIp(value))),
  ...define('cidr', 'string -> Cidr', ([value]) => cidrValue(neededRange(text(value)))),
  ...define('isCIDR', 'string -> bool', ([value]) => typeof parseRange(text(value)) !== 'string'),
  ...define('string', 'Cidr -> string', ([value]) => rangeText(readCidr(value))),
  ...method('containsIP', ['Cidr, string -> bool', 'Cidr, Ip -> bool'], ([range, other]) =>
    holds(readCidr(range), typeof other === 'string' ? memberAddress(other) : readIp(other)),
  ),
  ...method('containsCIDR', ['Cidr, string -> bool', 'Cidr, Cidr -> bool'], ([range, other]) => {
    const inner = typeof other === 'string' ? neededRange(other) : readCidr(other);
    const outer = readCidr(range);
    return outer.bits <= inner.bits && holds(outer, inner.address);
  }),
  ...method('ip', 'Cidr -> Ip', ([value]) => ipValue(readCidr(value).address)),
  ...method('prefixLength', 'Cidr -> int', ([value]) => BigInt(readCidr(value).bits)),
  ...method('masked', 'Cidr -> Cidr', ([value]) => {
    const { address, bits } = readCidr(value);
    return cidrValue({ address: masked(address, bits), bits });
  }),
];

function neededAddress(written: string): Address {
  const parsed = parseAddress(written);
  if (typeof parsed === 'string') throw new EvaluationError(parsed);
  return parsed;
}

/** Upstream tells no more of an address that is compared. */
function memberAddress(written: string): Address {
  const parsed = parseAddress(written);
  if (typeof parsed === 'string') throw noSuchOverload();
  return parsed;
}

function neededRange(written: string): Range {
  const parsed = parseRange(written);
  if (typeof parsed === 'string')
    throw new EvaluationError(`network address parse error during conversion from string: ${parsed}`);
  return parsed;
}

/** A text says what is wrong with it. */
export function parseRange(written: string): Range | string {
  const slash = written.lastIndexOf('/');
  const refusal = (why: string): string => `network address parse error during conversion from string: ${why}`;
  if (slash < 0) return refusal(`netip.ParsePrefix(${JSON.stringify(written)}): no '/'`);
  const address = parseAddress(written.slice(0, slash));
  if (typeof address === 'string')
    return address.replace(JSON.stringify(written.slice(0, slash)), JSON.stringify(written));
  const digits = written.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > address.length * 8)
    return refusal(`netip.ParsePrefix(${JSON.stringify(written)}): prefix length out of range`);
  return { address, bits: Number(digits) };
}

function masked(address: Address, bits: number): Address {
  return address.map((byte, index) => {
    const keep = Math.min(8, Math.max(0, bits - index * 8));
    return byte & (0xff << (8 - keep)) & 0xff;
  });
}

function holds({ address, bits }: Range, other: Address): boolean {
  if (address.length !== other.length) return false;
  const own = masked(address, bits);
  return masked(other, bits).every((byte, index) => byte === own[index]);
}

function rangeText({ address, bits }: Range): string {
  return `${addressText(address)}/${bits}`;
}

function isLoopback(address: Address): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

function isLinkLocalMulticast(address: Address): boolean {
  const [a = 0, b = 0, c = 0] = address;
  return address.length === 4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 0x02;
}

function isLinkLocalUnicast(address: Address): boolean {
  const [a = 0, b = 0] = address;
  return address.length === 4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80;
}

function isGlobalUnicast(address: Address): boolean {
  const [first = 0] = address;
  const multicast = address.length === 4 ? first >= 224 && first < 240 : first === 0xff;
  const broadcast = address.length === 4 && address.every((byte) => byte === 255);
  const unspecified = address.every((byte) => byte === 0);
  return !multicast && !broadcast && !unspecified && !isLoopback(address) && !isLinkLocalUnicast(address);
}

const addresses = new WeakMap<OpaqueValue, Address>();
const ranges = new WeakMap<OpaqueValue, Range>();

function readIp(value: CelValue | undefined): Address {
  return addresses.get(opaqueOf(value, ip)) ?? [];
}

function readCidr(value: CelValue | undefined): Range {
  return ranges.get(opaqueOf(value, cidr)) ?? { address: [], bits: 0 };
}

function ipValue(address: Address): OpaqueValue {
  const written = addressText(address);
  const value = comparable(ip, written, address.length);
  addresses.set(value, address);
  return value;
}

function cidrValue(range: Range): OpaqueValue {
  const value = comparable(cidr, rangeText(range), Math.ceil(range.bits / 8));
  ranges.set(value, range);
  return value;
}

function comparable(type: OpaqueValue['type'], written: string, size: number): OpaqueValue {
  return { kind: 'opaque', type, size, data: written, equals: (other) => other.data === written };
}
