import { getArray, isObject } from '#base/json.ts';

export type Capability = 'login' | 'apiKey';

export interface AccountToken {
  id: string;
  /** Seconds since the epoch. */
  issuedAt: number;
  expiresAt: number | undefined;
}

/** A local account, as `argocd-cm` declares it and `argocd-secret` holds its secrets. */
export interface Account {
  name: string;
  enabled: boolean;
  capabilities: Capability[];
  /** A bcrypt hash. */
  passwordHash: string | undefined;
  /** Milliseconds; tokens of before are refused. */
  passwordChangedAt: number | undefined;
  tokens: AccountToken[];
}

type Data = Readonly<Record<string, string>>;

export const adminName = 'admin';

function parseTokens(text: string | undefined): AccountToken[] {
  if (text === undefined || text === '') return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Whoever cannot be read has no token: none of them is accepted.
    return [];
  }
  return getArray(parsed)
    .filter(isObject)
    .flatMap(({ id, iat, exp }) =>
      typeof id === 'string' && typeof iat === 'number'
        ? [{ id, issuedAt: iat, expiresAt: typeof exp === 'number' && exp > 0 ? exp : undefined }]
        : [],
    );
}

function parseTime(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** What the keys of one account are called; those of `admin` have no prefix of their own. */
export function secretKeysOf(name: string): { password: string; passwordMtime: string; tokens: string } {
  const prefix = name === adminName ? adminName : `accounts.${name}`;
  return { password: `${prefix}.password`, passwordMtime: `${prefix}.passwordMtime`, tokens: `${prefix}.tokens` };
}

function secretsOf(name: string, secret: Data): Pick<Account, 'passwordHash' | 'passwordChangedAt' | 'tokens'> {
  const keys = secretKeysOf(name);
  return {
    passwordHash: secret[keys.password] || undefined,
    passwordChangedAt: parseTime(secret[keys.passwordMtime]),
    tokens: parseTokens(secret[keys.tokens]),
  };
}

function isCapability(word: string): word is Capability {
  return word === 'login' || word === 'apiKey';
}

/** A value that is neither true nor false disables: it was meant to say something. */
function isEnabled(text: string | undefined): boolean {
  return text === undefined || /^(?:1|t|true)$/i.test(text.trim());
}

/** All local accounts by name: `admin`, and each `accounts.<name>` of `argocd-cm`. */
export function parseAccounts(config: Data, secret: Data): Map<string, Account> {
  const accounts = new Map<string, Account>();
  const admin = new Set<Capability>(['login']);
  const names = new Map<string, Set<Capability>>([[adminName, admin]]);
  for (const [key, value] of Object.entries(config)) {
    const name = /^accounts\.([^.]+)(?:\.[^.]+)?$/.exec(key)?.[1];
    if (name === undefined) continue;
    const has = names.get(name) ?? new Set();
    names.set(name, has);
    if (key !== `accounts.${name}`) continue;
    for (const word of value.split(',').map((part) => part.trim())) if (isCapability(word)) has.add(word);
  }
  for (const [name, capabilities] of names) {
    const switchKey = name === adminName ? 'admin.enabled' : `accounts.${name}.enabled`;
    const enabled = isEnabled(config[switchKey]);
    accounts.set(name, { name, enabled, capabilities: [...capabilities], ...secretsOf(name, secret) });
  }
  return accounts;
}

export function tokensText(tokens: readonly AccountToken[]): string {
  return JSON.stringify(
    tokens.map(({ id, issuedAt, expiresAt }) => ({ id, iat: issuedAt, ...(expiresAt ? { exp: expiresAt } : {}) })),
  );
}
