import { globMatch } from '#base/glob.ts';
import type { ResourceCustomization } from '#model/argocd/settings.ts';
import type { LuaCheck } from './lua-health.ts';

interface Checks {
  exact: ReadonlyMap<string, LuaCheck>;
  patterns: readonly { pattern: string; check: LuaCheck }[];
}

const indexes = new WeakMap<readonly ResourceCustomization[], Checks>();

/** `group/Kind`, or `Kind` in the core group: how `argocd-cm` names kinds. */
export function customizationKey(group: string, kind: string): string {
  return group === '' ? kind : `${group}/${kind}`;
}

function indexOf(customizations: readonly ResourceCustomization[]): Checks {
  const exact = new Map<string, LuaCheck>();
  const patterns: Checks['patterns'][number][] = [];
  for (const { group, kind, health, useOpenLibs } of customizations) {
    if (health === undefined || health.trim() === '') continue;
    const key = customizationKey(group, kind);
    const check = { source: health, openLibraries: useOpenLibs === true };
    exact.set(key, check);
    if (/[*?[{]/.test(key)) patterns.push({ pattern: key, check });
  }
  return { exact, patterns };
}

/** The check that the settings have for a kind: by its name, else by the first pattern that matches. */
export function customCheck(
  customizations: readonly ResourceCustomization[],
  { group, kind }: { group: string; kind: string },
): LuaCheck | undefined {
  if (customizations.length === 0) return undefined;
  let checks = indexes.get(customizations);
  if (checks === undefined) {
    checks = indexOf(customizations);
    indexes.set(customizations, checks);
  }
  const key = customizationKey(group, kind);
  return checks.exact.get(key) ?? checks.patterns.find(({ pattern }) => globMatch(pattern, key))?.check;
}
