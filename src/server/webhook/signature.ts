import { createHmac } from 'node:crypto';
import { AppError } from '#base/errors.ts';
import { sameSecret } from '../same-secret.ts';

/** What a sender proves its delivery by, and what the instance expects. */
export type Proof =
  | { kind: 'hmac'; header: string | undefined; prefix: string }
  | { kind: 'token'; given: string | undefined }
  | { kind: 'basic'; given: string | undefined; username: string };

function wrong(given: string | undefined, what: string): never {
  const signed = given !== undefined && given !== '';
  throw new AppError('unauthorized', signed ? `the ${what} is wrong` : 'this delivery is not signed', {
    hint: 'the secret of the webhook and that of the server differ',
  });
}

/** Throws `unauthorized` unless the delivery carries what only a holder of the secret can make. */
export function assertProof(proof: Proof, secret: string, raw: string): void {
  switch (proof.kind) {
    case 'hmac': {
      const expected = `${proof.prefix}${createHmac('sha256', secret).update(raw).digest('hex')}`;
      if (!sameSecret(proof.header ?? '', expected)) wrong(proof.header, 'signature');
      return;
    }
    case 'token':
      if (!sameSecret(proof.given ?? '', secret)) wrong(proof.given, 'token');
      return;
    case 'basic': {
      const expected = `Basic ${Buffer.from(`${proof.username}:${secret}`).toString('base64')}`;
      if (!sameSecret(proof.given ?? '', expected)) wrong(proof.given, 'password');
    }
  }
}
