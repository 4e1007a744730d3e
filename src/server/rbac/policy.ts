import { messageOf } from '#base/errors.ts';

/** One `p` line: who may (or may not) do what to which objects. */
export interface PermissionLine {
  subject: string;
  resource: string;
  action: string;
  object: string;
  effect: 'allow' | 'deny';
}

export interface Policy {
  permissions: PermissionLine[];
  /** `g` lines: a user, group or role to the roles it has. */
  roles: Map<string, string[]>;
  /** One line per mistake; a policy with mistakes must not be used. */
  problems: string[];
}

/** The fields of one CSV line: quotes as RFC 4180 has them, blanks before a field dropped. Throws on open quotes. */
function csvFields(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    while (line[at] === ' ' || line[at] === '\t') at += 1;
    if (line[at] === '"') {
      let text = '';
      at += 1;
      for (;;) {
        const end = line.indexOf('"', at);
        if (end < 0) throw new Error('a quote is not closed');
        text += line.slice(at, end);
        at = end + 1;
        if (line[at] !== '"') break;
        text += '"';
        at += 1;
      }
      fields.push(text);
    } else {
      const end = line.indexOf(',', at);
      const text = line.slice(at, end < 0 ? line.length : end);
      if (text.includes('"')) throw new Error('a quote stands inside a field');
      fields.push(text.trimEnd());
      at += text.length;
    }
    if (at >= line.length) return fields;
    if (line[at] !== ',') throw new Error('text follows a closing quote');
    at += 1;
  }
}

function isEffect(text: string | undefined): text is 'allow' | 'deny' {
  return text === 'allow' || text === 'deny';
}

/** Reads policy lines (`p, subject, resource, action, object, effect` and `g, who, role`); pure. */
export function parsePolicy(text: string): Policy {
  const policy: Policy = { permissions: [], roles: new Map(), problems: [] };
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const problem = (why: string) => policy.problems.push(`line ${index + 1}: ${why}: ${line}`);
    let fields: string[];
    try {
      fields = csvFields(line);
    } catch (error) {
      problem(messageOf(error));
      continue;
    }
    const [kind, first = '', second = '', action = '', object = '', effect] = fields;
    if (kind === 'p' && fields.length === 6 && isEffect(effect))
      policy.permissions.push({ subject: first, resource: second, action, object, effect });
    else if (kind === 'g' && fields.length === 3) policy.roles.set(first, [...(policy.roles.get(first) ?? []), second]);
    else problem('no policy: six fields after "p" with allow or deny at the end, or three after "g"');
  }
  return policy;
}

/** Several policies as one, in their order. */
export function joinPolicies(...policies: readonly Policy[]): Policy {
  const roles = new Map<string, string[]>();
  for (const policy of policies)
    for (const [who, has] of policy.roles) roles.set(who, [...(roles.get(who) ?? []), ...has]);
  return {
    permissions: policies.flatMap(({ permissions }) => permissions),
    roles,
    problems: policies.flatMap(({ problems }) => problems),
  };
}

export interface RbacSettings {
  policy: Policy;
  /** Evaluated for everybody who is known; empty is none. */
  defaultRole: string;
  /** The claims of a token that name groups. */
  scopes: string[];
  matchMode: 'glob' | 'regex';
}

/** `policy.csv`, then every `policy.<name>.csv` in the order of their keys. */
function policyText(data: Readonly<Record<string, string>>): string {
  const more = Object.keys(data).filter((key) => /^policy\..*\.csv$/.test(key) && key !== 'policy.csv');
  return [data['policy.csv'] ?? '', ...more.sort().map((key) => data[key])].join('\n');
}

/** `[groups, email]` as YAML's flow or block list of plain words, or one word. */
function parseScopes(text: string | undefined): string[] {
  if (text === undefined || text.trim() === '') return ['groups'];
  const words = text.replaceAll(/[[\]'"]/g, ' ').split(/[\s,]+/);
  return words.filter((word) => word !== '' && word !== '-');
}

/**
 * What `argocd-rbac-cm` says. Where the policy has a mistake nobody but the built-in roles has rights: a deny that could
 * not be read must not turn into an allow.
 */
export function parseRbacSettings(data: Readonly<Record<string, string>>): RbacSettings {
  const policy = parsePolicy(policyText(data));
  const broken = policy.problems.length > 0;
  return {
    policy: broken ? { permissions: [], roles: new Map(), problems: policy.problems } : policy,
    defaultRole: broken ? '' : (data['policy.default'] ?? '').trim(),
    scopes: parseScopes(data['scopes']),
    matchMode: data['policy.matchMode'] === 'regex' ? 'regex' : 'glob',
  };
}
