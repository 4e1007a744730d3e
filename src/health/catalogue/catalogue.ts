import { globMatch } from '#base/glob.ts';
import type { Check } from '../rules.ts';
import { argoKinds } from './argo.ts';
import { clusterKinds } from './clusters.ts';
import { cloudKinds, cloudPatterns } from './crossplane.ts';
import { databaseKinds } from './databases.ts';
import { fluxKinds } from './flux.ts';
import { kubernetesKinds } from './kubernetes.ts';
import { messagingKinds } from './messaging.ts';
import { numaprojKinds } from './numaproj.ts';
import { observabilityKinds, observabilityPatterns } from './observability.ts';
import { platformKinds, platformPatterns } from './platform.ts';
import { policyKinds } from './policies.ts';
import { promoterKinds } from './promoter.ts';
import { secretKinds } from './secrets.ts';
import { threescaleKinds } from './threescale.ts';
import { workloadKinds } from './workloads.ts';

/** What Argo CD ships as scripts, by `group/Kind`: the same statuses and messages, stated as rules of our own. */
const known: ReadonlyMap<string, Check> = new Map(
  [
    kubernetesKinds,
    argoKinds,
    promoterKinds,
    numaprojKinds,
    fluxKinds,
    secretKinds,
    cloudKinds,
    databaseKinds,
    messagingKinds,
    workloadKinds,
    clusterKinds,
    observabilityKinds,
    platformKinds,
    policyKinds,
    threescaleKinds,
  ].flatMap((part) => Object.entries(part)),
);

/** In the order of their text, which decides where two match. */
const patterns: readonly (readonly [string, Check])[] = [cloudPatterns, observabilityPatterns, platformPatterns]
  .flatMap((part) => Object.entries(part))
  .sort(([a], [b]) => (a < b ? -1 : 1));

/** The check that comes with Slipway for a kind outside Kubernetes' core; undefined for kinds it does not know. */
export function catalogued(groupKind: string): Check | undefined {
  return known.get(groupKind) ?? patterns.find(([pattern]) => globMatch(pattern, groupKind, '/'))?.[1];
}

export const cataloguedKinds: readonly string[] = [...known.keys(), ...patterns.map(([pattern]) => pattern)];
