import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { projectNameOf } from '../access/guard.ts';

export interface ApplicationSelection {
  projects: string[];
  selector: string | undefined;
  repo: string | undefined;
  name: string | undefined;
  namespace: string | undefined;
}

/** What Argo CD's list and watch queries select; one reading of the selector for many applications. */
export function applicationFilter(by: ApplicationSelection): (application: Application) => boolean {
  const matches = parseSelector(by.selector ?? '');
  return (application) => {
    const { metadata, spec } = application;
    if (by.projects.length > 0 && !by.projects.includes(projectNameOf(application))) return false;
    if (by.name && metadata.name !== by.name) return false;
    if (by.namespace && metadata.namespace !== by.namespace) return false;
    const sources = spec.sources ?? (spec.source ? [spec.source] : []);
    if (by.repo && !sources.some(({ repoURL }) => repoURL === by.repo)) return false;
    return matches(metadata.labels ?? {});
  };
}

/** Kubernetes' equality and set selectors: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (x,y)`, `a notin (x,y)`. */
export function parseSelector(text: string): (labels: Record<string, string>) => boolean {
  const terms = text.split(/,(?![^(]*\))/).filter((term) => term.trim() !== '');
  const tests = terms.map((term) => parseTerm(term.trim()));
  return (labels) => tests.every((test) => test(labels));
}

function parseTerm(term: string): (labels: Record<string, string>) => boolean {
  const key = '[A-Za-z0-9][A-Za-z0-9._/-]*';
  const set = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([^)]*)\\)$`).exec(term);
  if (set?.[1] && set[3] !== undefined) {
    const [, name = '', verb, list] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[name] ?? '\0') === (verb === 'in');
  }
  const equality = new RegExp(`^(${key})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`).exec(term);
  if (equality) {
    const [, name = '', verb, value] = equality;
    return (labels) => (labels[name] === value) === (verb !== '!=');
  }
  const exists = new RegExp(`^(!?)\\s*(${key})$`).exec(term);
  if (exists) {
    const [, not, name = ''] = exists;
    return (labels) => Object.hasOwn(labels, name) === (not === '');
  }
  throw new AppError('bad-input', `"${term}" is no label selector`, { hint: 'for example: team=shop,tier!=test' });
}
