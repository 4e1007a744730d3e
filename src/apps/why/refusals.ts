import type { Reason, ReasonCode } from './reason.ts';

interface Refusal {
  code: ReasonCode;
  pattern: RegExp;
  next: string | ((match: RegExpExecArray) => string);
}

/** What an API server says when it does not take an object, most particular first. The texts are kube-apiserver's. */
const refusals: readonly Refusal[] = [
  {
    code: 'quota',
    pattern: /exceeded quota: ([^,]+)/,
    next: (match) =>
      `raise the ResourceQuota ${match[1]}, or ask for less; "kubectl describe quota" shows what is used`,
  },
  {
    code: 'quota',
    pattern: /(?:maximum|minimum) (?:cpu|memory|[a-z-]+) usage per|LimitRanger|is forbidden: \[?(?:maximum|minimum)/,
    next: 'bring the requests and limits within the LimitRange of the namespace',
  },
  {
    code: 'admission',
    pattern: /admission webhook "([^"]+)" denied the request/,
    next: (match) => `do what the webhook ${match[1]} asks for; its own log tells more`,
  },
  {
    code: 'admission',
    pattern: /failed calling webhook "([^"]+)"/,
    next: (match) => `make the service behind the webhook ${match[1]} answer, or take its configuration away`,
  },
  {
    code: 'admission',
    pattern: /ValidatingAdmissionPolicy '([^']+)'/,
    next: (match) => `do what the policy ${match[1]} asks for`,
  },
  {
    code: 'admission',
    pattern: /violates PodSecurity "([^"]+)"/,
    next: (match) => `meet the pod security level ${match[1]} of the namespace, or change its label`,
  },
  {
    code: 'missing-namespace',
    pattern: /namespaces "([^"]+)" not found/,
    next: (match) => `create the namespace ${match[1]}, or set the sync option CreateNamespace=true`,
  },
  {
    code: 'immutable-field',
    pattern: /field is immutable|may not change once set|updates to \w+ spec for fields other than|is immutable/,
    next: 'set the annotation argocd.argoproj.io/sync-options: Force=true on the object to have it made anew, or undo the change',
  },
  {
    code: 'missing-kind',
    pattern:
      /The Kubernetes API could not find|does not serve (\S+)|no matches for kind "([^"]+)"|could not find the requested resource/,
    next: 'install the CustomResourceDefinition first (an earlier wave, or another application), or correct apiVersion and kind',
  },
  {
    code: 'field-owner',
    pattern: /conflict(?:s)? with "([^"]+)"/,
    next: (match) =>
      `take the field out of Git, or out of ${match[1]}; ignoreDifferences with its name leaves it alone`,
  },
  {
    code: 'project',
    pattern: /not permitted in project/,
    next: 'let the AppProject permit it, or take the object out of Git',
  },
  {
    code: 'permission',
    pattern: /is forbidden: User "([^"]+)" cannot (\w+) resource/,
    next: (match) => `give ${match[1]} the permission to ${match[2]} it`,
  },
  { code: 'permission', pattern: /is forbidden/, next: "find out what forbids it: the words are the server's" },
  {
    code: 'refused',
    pattern: /is invalid:|failed to create typed patch object|unknown field|cannot be handled|Invalid value/,
    next: 'correct the field that the server names',
  },
];

/** What kind of refusal a server's message is; undefined when it is none that is known. */
export function classifyRefusal(message: string): Pick<Reason, 'code' | 'next'> | undefined {
  for (const { code, pattern, next } of refusals) {
    const match = pattern.exec(message);
    if (match) return { code, next: typeof next === 'string' ? next : next(match) };
  }
  return undefined;
}
