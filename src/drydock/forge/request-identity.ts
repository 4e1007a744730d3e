import type { Accounts, Identity } from './accounts.ts';

/**
 * Who sends a request with this Authorization header: a token as Bearer or `token`, or as the password of Basic
 * authentication with any user name. Undefined when a token was given and is not valid.
 */
export function identityOf(accounts: Accounts, authorization: string | undefined): Identity | undefined {
  if (authorization === undefined || authorization === '') return { kind: 'anonymous' };
  const [scheme = '', value = ''] = authorization.split(/\s+/, 2);
  switch (scheme.toLowerCase()) {
    case 'bearer':
    case 'token':
      return accounts.identify(value);
    case 'basic': {
      const pair = Buffer.from(value, 'base64').toString('utf8');
      const at = pair.indexOf(':');
      if (at < 0) return undefined;
      return accounts.identify(pair.slice(at + 1)) ?? accounts.identify(pair.slice(0, at));
    }
    default:
      return undefined;
  }
}
