import type { JsonObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { child } from '../defaults/fill.ts';
import { forbidden, invalid, notSupported, oneOf, required } from './finding.ts';

const largestId = 2147483647;

function idErrors(context: JsonObject, name: string, path: string): FieldError[] {
  const id = context[name];
  if (typeof id !== 'number' || (id >= 0 && id <= largestId)) return [];
  return [invalid(`${path}.${name}`, id, `must be between 0 and ${largestId}, inclusive`)];
}

export function validateSecurityContext(context: JsonObject | undefined, path: string): FieldError[] {
  if (context === undefined) return [];
  const errors = ['runAsUser', 'runAsGroup'].flatMap((name) => idErrors(context, name, path));
  if (context['allowPrivilegeEscalation'] === false) {
    const why = 'cannot set `allowPrivilegeEscalation` to false and';
    if (context['privileged'] === true) errors.push(invalid(path, context, `${why} \`privileged\` to true`));
    const added: unknown = child(context, 'capabilities')?.['add'];
    if (Array.isArray(added) && added.includes('CAP_SYS_ADMIN')) {
      errors.push(invalid(path, context, `${why} \`capabilities.Add\` CAP_SYS_ADMIN`));
    }
  }
  return [...errors, ...validateSeccomp(child(context, 'seccompProfile'), `${path}.seccompProfile`)];
}

export function validatePodSecurityContext(context: JsonObject | undefined, path: string): FieldError[] {
  if (context === undefined) return [];
  const errors = ['runAsUser', 'runAsGroup', 'fsGroup'].flatMap((name) => idErrors(context, name, path));
  const groups: unknown[] = Array.isArray(context['supplementalGroups']) ? context['supplementalGroups'] : [];
  for (const [index, group] of groups.entries()) {
    errors.push(...idErrors({ [`supplementalGroups[${index}]`]: group }, `supplementalGroups[${index}]`, path));
  }
  errors.push(
    ...oneOf(`${path}.fsGroupChangePolicy`, context['fsGroupChangePolicy'], ['Always', 'OnRootMismatch']),
    ...oneOf(`${path}.supplementalGroupsPolicy`, context['supplementalGroupsPolicy'], ['Merge', 'Strict']),
    ...validateSeccomp(child(context, 'seccompProfile'), `${path}.seccompProfile`),
  );
  return errors;
}

const profiles = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function validateSeccomp(profile: JsonObject | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const { type = '', localhostProfile } = profile;
  if (type === '') return [required(`${path}.type`, 'type is required when seccompProfile is set')];
  if (typeof type !== 'string' || !profiles.includes(type)) return [notSupported(`${path}.type`, type, profiles)];
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost')
    return (localhostProfile ?? '') === '' ? [required(at, 'must be set when seccomp type is Localhost')] : [];
  if (localhostProfile === undefined) return [];
  return [invalid(at, localhostProfile, 'can only be set when seccomp type is Localhost')];
}

/** What only long-running containers may have, and init containers that are sidecars. */
export function validateInitContainer(container: JsonObject, path: string): FieldError[] {
  const policy = container['restartPolicy'];
  if (policy !== undefined)
    return policy === 'Always' ? [] : [notSupported(`${path}.restartPolicy`, policy, ['Always'])];
  return ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']
    .filter((name) => container[name] !== undefined)
    .map((name) => forbidden(`${path}.${name}`, 'may not be set for init containers without restartPolicy=Always'));
}
