import { AppError } from '#base/errors.ts';

/** The range of cluster IPs and that of node ports. */
export interface ServiceNetwork {
  cidr: string;
  /** Of the Service `kubernetes`: the first usable one. */
  apiServerIp: string;
  /** How many addresses there are; `ipAt` takes 0 (the network itself) to `size - 1`. */
  size: number;
  /** Addresses below are left for those who ask for one by name, as the real allocator does. */
  firstDynamic: number;
  ipAt(index: number): string;
  contains(ip: string): boolean;
  nodePorts: { first: number; last: number };
}

export interface ServiceNetworkOptions {
  /** IPv4, from /12 to /28; `10.96.0.0/16` by default. */
  serviceCidr?: string;
  /** `30000-32767` by default. */
  nodePortRange?: string;
}

/** Reads both ranges. Throws AppError bad-input. */
export function serviceNetwork(options: ServiceNetworkOptions): ServiceNetwork {
  const cidr = options.serviceCidr ?? '10.96.0.0/16';
  const [address = '', prefix = ''] = cidr.split('/');
  const bits = Number(prefix);
  const given = ipNumber(address);
  if (given === undefined || !/^\d+$/.test(prefix) || bits < 12 || bits > 28)
    throw new AppError('bad-input', `the service range ${cidr} is not an IPv4 network from /12 to /28`, {
      hint: 'give one like 10.96.0.0/16',
    });
  const size = 2 ** (32 - bits);
  const base = given - (given % size);
  const ipAt = (index: number): string => ipText(base + index);
  return {
    cidr: `${ipText(base)}/${bits}`,
    apiServerIp: ipAt(1),
    size,
    firstDynamic: Math.min(Math.max(16, size / 16), 256),
    ipAt,
    contains(ip) {
      const number = ipNumber(ip);
      return number !== undefined && number >= base && number < base + size;
    },
    nodePorts: readPortRange(options.nodePortRange ?? '30000-32767'),
  };
}

function readPortRange(text: string): { first: number; last: number } {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text)?.map(Number) ?? [];
  if (first === undefined || last === undefined || first < 1 || last > 65_535 || first > last)
    throw new AppError('bad-input', `the node port range ${text} is not FIRST-LAST between 1 and 65535`);
  return { first, last };
}

function ipNumber(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}

function ipText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
