import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { CallError } from '../call-error.ts';
import { type CallContext, type FunctionMap, fn, variadic } from '../function.ts';

function hash(algorithm: string) {
  return fn(['string'], (text) => createHash(algorithm).update(text).digest('hex'));
}

function adler32(text: string): string {
  let [a, b] = [1, 0];
  for (const byte of Buffer.from(text)) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}

function aesKey(password: string): Buffer {
  const key = Buffer.alloc(32);
  Buffer.from(password).copy(key);
  return key;
}

function encrypt(password: string, text: string, context: CallContext): string {
  if (text === '') return '';
  const iv = context.entropy.bytes(16);
  const cipher = createCipheriv('aes-256-cbc', aesKey(password), iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
}

function decrypt(password: string, text: string): string {
  if (text === '') return '';
  const data = Buffer.from(text, 'base64');
  if (data.length < 16) throw new CallError('ciphertext too short');
  try {
    const decipher = createDecipheriv('aes-256-cbc', aesKey(password), data.subarray(0, 16));
    return Buffer.concat([decipher.update(data.subarray(16)), decipher.final()]).toString('utf8');
  } catch {
    throw new CallError('cannot decrypt: the password or the text is not right');
  }
}

function random(characters: string) {
  return fn(['int'], (count, context) => {
    if (count < 0) return '';
    context.spend(count);
    return Array.from(
      { length: count },
      () => characters[Math.floor(context.entropy.fraction() * characters.length)],
    ).join('');
  });
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const ascii = Array.from({ length: 95 }, (_none, index) => String.fromCharCode(32 + index)).join('');

const unavailable = [
  'bcrypt',
  'buildCustomCert',
  'derivePassword',
  'genCA',
  'genCAWithKey',
  'genPrivateKey',
  'genSelfSignedCert',
  'genSelfSignedCertWithKey',
  'genSignedCert',
  'genSignedCertWithKey',
  'htpasswd',
];

/** Hashes and random texts. What makes keys or takes long by design refuses with an error that says so. */
export const cryptoFunctions: FunctionMap = {
  adler32sum: fn(['string'], adler32),
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  encryptAES: fn(['string', 'string'], encrypt),
  decryptAES: fn(['string', 'string'], decrypt),
  uuidv4: fn([], (context) => context.entropy.uuid()),
  randAlpha: random(letters),
  randAlphaNum: random(letters + digits),
  randNumeric: random(digits),
  randAscii: random(ascii),
  randBytes: fn(['int'], (count, context) => {
    if (count < 0) throw new CallError('runtime error: makeslice: len out of range');
    context.spend(count);
    return context.entropy.bytes(count).toString('base64');
  }),
  ...Object.fromEntries(
    unavailable.map((name) => [
      name,
      variadic([], 'any', () => {
        throw new CallError(`${name} makes keys or slow hashes, which templates here do not: take it from a Secret`);
      }),
    ]),
  ),
};
