import { z } from 'zod';
import type { ApplicationCondition, HealthStatus, SyncStatusCode } from './application.ts';

/** ApplicationSet (argoproj.io/v1alpha1): the fields that Slipway reads and writes. */
export interface ApplicationSet {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
    finalizers?: string[];
    [field: string]: unknown;
  };
  spec: ApplicationSetSpec;
  status?: ApplicationSetStatus;
  [field: string]: unknown;
}

export type ApplicationsSync = 'create-only' | 'create-update' | 'create-delete' | 'sync';

export interface ApplicationSetSpec {
  goTemplate: boolean;
  goTemplateOptions: string[];
  generators: Record<string, unknown>[];
  template: Record<string, unknown>;
  templatePatch: string | undefined;
  syncPolicy: { preserveResourcesOnDeletion: boolean; applicationsSync: ApplicationsSync | undefined };
  strategy: RolloutStrategy | undefined;
  preservedFields: { annotations: string[]; labels: string[] };
  ignoreApplicationDifferences: { name?: string; jsonPointers: string[]; jqPathExpressions: string[] }[];
}

export interface RolloutStrategy {
  type: string;
  steps: RolloutStep[];
  rollingSync: boolean;
  deletionOrder: string;
}

export interface RolloutStep {
  matchExpressions: { key: string; operator: string; values: string[] }[];
  maxUpdate: number | string | undefined;
}

export type ApplicationSetConditionType =
  | 'ErrorOccurred'
  | 'ParametersGenerated'
  | 'ResourcesUpToDate'
  | 'RolloutProgressing'
  | 'InvalidRolloutConfig';

export interface ApplicationSetCondition {
  type: ApplicationSetConditionType;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime?: string;
}

export type RolloutPhase = 'Waiting' | 'Pending' | 'Progressing' | 'Healthy';

export interface RolloutStatus {
  application: string;
  status: RolloutPhase;
  message: string;
  step: string;
  targetRevisions: string[];
  lastTransitionTime?: string;
}

export interface ApplicationSetStatus {
  conditions?: ApplicationSetCondition[];
  applicationStatus?: RolloutStatus[];
  resources?: Record<string, unknown>[];
  resourcesCount?: number;
  health?: { status: HealthStatus; message?: string; lastTransitionTime?: string };
  [field: string]: unknown;
}

/** What a rollout and the status read of a generated Application. */
export interface GeneratedStatus {
  sync?: { status: SyncStatusCode };
  conditions?: ApplicationCondition[];
}

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const object = z.record(z.string(), z.unknown());

const strategy = z
  .looseObject({
    type: z.string().default(''),
    deletionOrder: z.string().default(''),
    rollingSync: z
      .looseObject({
        steps: z
          .array(
            z.looseObject({
              matchExpressions: z
                .array(
                  z.looseObject({ key: z.string().default(''), operator: z.string().default(''), values: strings }),
                )
                .nullish()
                .transform((list) => list ?? []),
              maxUpdate: z.union([z.number().int(), z.string()]).nullish(),
            }),
          )
          .nullish()
          .transform((list) => list ?? []),
      })
      .nullish(),
  })
  .nullish();

const spec = z.looseObject({
  goTemplate: z.boolean().default(false),
  goTemplateOptions: strings,
  generators: z.array(object),
  template: object,
  templatePatch: z.string().nullish(),
  syncPolicy: z
    .looseObject({
      preserveResourcesOnDeletion: z.boolean().default(false),
      applicationsSync: z.enum(['create-only', 'create-update', 'create-delete', 'sync']).nullish(),
    })
    .nullish(),
  strategy,
  preservedFields: z.looseObject({ annotations: strings, labels: strings }).nullish(),
  ignoreApplicationDifferences: z
    .array(z.looseObject({ name: z.string().optional(), jsonPointers: strings, jqPathExpressions: strings }))
    .nullish(),
});

function specOf(data: z.infer<typeof spec>): ApplicationSetSpec {
  const { syncPolicy, preservedFields } = data;
  return {
    goTemplate: data.goTemplate,
    goTemplateOptions: data.goTemplateOptions,
    generators: data.generators,
    template: data.template,
    templatePatch: data.templatePatch ?? undefined,
    syncPolicy: {
      preserveResourcesOnDeletion: syncPolicy?.preserveResourcesOnDeletion ?? false,
      applicationsSync: syncPolicy?.applicationsSync ?? undefined,
    },
    strategy: data.strategy ? strategyOf(data.strategy) : undefined,
    preservedFields: { annotations: preservedFields?.annotations ?? [], labels: preservedFields?.labels ?? [] },
    ignoreApplicationDifferences: (data.ignoreApplicationDifferences ?? []).map(
      ({ name, jsonPointers, jqPathExpressions }) => ({
        ...(name ? { name } : {}),
        jsonPointers,
        jqPathExpressions,
      }),
    ),
  };
}

function strategyOf({ type, deletionOrder, rollingSync }: NonNullable<z.infer<typeof strategy>>): RolloutStrategy {
  const steps = (rollingSync?.steps ?? []).map(({ matchExpressions, maxUpdate }) => ({
    matchExpressions: matchExpressions.map(({ key, operator, values }) => ({ key, operator, values })),
    maxUpdate: maxUpdate ?? undefined,
  }));
  return { type, deletionOrder, rollingSync: rollingSync !== null && rollingSync !== undefined, steps };
}

const emptySpec: ApplicationSetSpec = {
  goTemplate: false,
  goTemplateOptions: [],
  generators: [],
  template: {},
  templatePatch: undefined,
  syncPolicy: { preserveResourcesOnDeletion: false, applicationsSync: undefined },
  strategy: undefined,
  preservedFields: { annotations: [], labels: [] },
  ignoreApplicationDifferences: [],
};

/** By identity: objects of watches are replaced, never changed. */
const parsed = new WeakMap<object, { set: ApplicationSet; problems: string[] }>();

/** Reads an ApplicationSet object. One with mistakes still gives a set, that generates nothing and may not be acted on. */
export function parseApplicationSet(object: {
  apiVersion: string;
  kind: string;
  metadata: { name: string; [field: string]: unknown };
  [field: string]: unknown;
}): { set: ApplicationSet; problems: string[] } {
  const known = parsed.get(object);
  if (known) return known;
  const result = spec.safeParse(object['spec'] ?? {});
  const problems = result.success
    ? []
    : result.error.issues.map((issue) => `${['spec', ...issue.path].join('.')}: ${issue.message}`);
  const set = { ...object, spec: result.success ? specOf(result.data) : emptySpec } as ApplicationSet;
  const fresh = { set, problems };
  parsed.set(object, fresh);
  return fresh;
}
