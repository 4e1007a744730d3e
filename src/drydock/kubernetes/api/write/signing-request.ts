import { createPublicKey, verify } from 'node:crypto';
import { objectId } from '../credential/der.ts';

/** What a PKCS #10 request asks a certificate for. */
export interface SigningRequest {
  /** The name as DER, taken over as it is. */
  subject: Buffer;
  /** SubjectPublicKeyInfo as DER. */
  publicKey: Buffer;
  commonName: string;
  organizations: string[];
}

interface Element {
  tag: number;
  content: Buffer;
  /** With tag and length. */
  whole: Buffer;
}

const digests: readonly (readonly [oid: string, digest: string | null])[] = [
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null],
];

/** Reads a PEM request and checks that its sender holds the key. Throws an Error that says what is wrong. */
export function parseSigningRequest(pem: string): SigningRequest {
  const base64 = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)-----END CERTIFICATE REQUEST-----/.exec(pem)?.[1];
  if (base64 === undefined) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const [request] = elements(Buffer.from(base64, 'base64'));
  const [info, algorithm, signature] = request ? elements(request.content) : [];
  const [, subject, key] = info ? elements(info.content) : [];
  const [oid] = algorithm ? elements(algorithm.content) : [];
  if (!info || !subject || !key || !oid || !signature) throw new Error('asn1: structure error: the request is damaged');
  const digest = digests.find(([known]) => objectId(known).equals(oid.whole))?.[1];
  if (digest === undefined) throw new Error('x509: cannot verify signature: algorithm unimplemented');
  const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' });
  if (!verify(digest, info.whole, publicKey, signature.content.subarray(1)))
    throw new Error('x509: the signature of the request is not its key’s');
  return {
    subject: subject.whole,
    publicKey: key.whole,
    commonName: namesIn(subject, '2.5.4.3')[0] ?? '',
    organizations: namesIn(subject, '2.5.4.10'),
  };
}

function namesIn(subject: Element, oid: string): string[] {
  const wanted = objectId(oid);
  return elements(subject.content)
    .flatMap((set) => elements(set.content))
    .map((attribute) => elements(attribute.content))
    .filter(([id]) => id?.whole.equals(wanted))
    .map(([, value]) => value?.content.toString('utf8') ?? '');
}

/** The elements that stand one after the other in `bytes`. Throws on lengths that reach beyond them. */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const sizeBytes = first < 0x80 ? 0 : first & 0x7f;
    if (sizeBytes > 4) throw new Error('asn1: structure error: length too large');
    const start = at + 2 + sizeBytes;
    const length = sizeBytes === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    const end = start + length;
    if (end > bytes.length) throw new Error('asn1: syntax error: data truncated');
    found.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}
