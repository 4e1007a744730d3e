import { timingSafeEqual } from 'node:crypto';
import { sha256Hex } from '#base/digest.ts';

/** Compares in a time that depends on neither content nor length. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256Hex(a)), Buffer.from(sha256Hex(b)));
}
