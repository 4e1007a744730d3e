export interface Authorization {
  header: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** The scopes it was given for; undefined when it is good for all, as a password is. */
  scope: string | undefined;
}

const maxPerPlace = 100;

/** What lets us in where: an authorization is found again for whatever it covers. */
export class AuthorizationCache {
  readonly #places = new Map<string, Authorization[]>();

  find(place: string, scope: string, now: number): string | undefined {
    const living = (this.#places.get(place) ?? []).filter((entry) => entry.expiresAt > now);
    return living.find((entry) => entry.scope === undefined || covers(entry.scope, scope))?.header;
  }

  remember(place: string, authorization: Authorization): void {
    const entries = (this.#places.get(place) ?? []).filter((entry) => entry.scope !== authorization.scope);
    this.#places.set(place, [authorization, ...entries].slice(0, maxPerPlace));
  }

  forget(place: string, header: string): void {
    const entries = this.#places.get(place) ?? [];
    this.#places.set(
      place,
      entries.filter((entry) => entry.header !== header),
    );
  }
}

/** Whether every action on every repository that `wanted` names is in `scope`. */
export function covers(scope: string, wanted: string): boolean {
  const granted = actionsOf(scope);
  return [...actionsOf(wanted)].every(([resource, actions]) =>
    [...actions].every((action) => granted.get(resource)?.has(action)),
  );
}

function actionsOf(scope: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const entry of scope.split(' ').filter(Boolean)) {
    const colon = entry.lastIndexOf(':');
    const resource = entry.slice(0, colon);
    const actions = found.get(resource) ?? new Set<string>();
    for (const action of entry.slice(colon + 1).split(',')) actions.add(action);
    found.set(resource, actions);
  }
  return found;
}
