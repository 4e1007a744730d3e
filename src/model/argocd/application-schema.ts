import { z } from 'zod';
import type { Application } from './application.ts';

const strings = z.array(z.string());
const record = z.record(z.string(), z.unknown());

const helm = z.looseObject({
  valueFiles: strings.optional(),
  parameters: z
    .array(z.looseObject({ name: z.string(), value: z.string().default(''), forceString: z.boolean().optional() }))
    .optional(),
  fileParameters: z.array(z.looseObject({ name: z.string(), path: z.string() })).optional(),
  releaseName: z.string().optional(),
  values: z.string().optional(),
  valuesObject: record.optional(),
  version: z.string().optional(),
  passCredentials: z.boolean().optional(),
  ignoreMissingValueFiles: z.boolean().optional(),
  skipCrds: z.boolean().optional(),
  skipTests: z.boolean().optional(),
  skipSchemaValidation: z.boolean().optional(),
  namespace: z.string().optional(),
  kubeVersion: z.string().optional(),
  apiVersions: strings.optional(),
});

export const sourceSchema = z.looseObject({
  repoURL: z.string().min(1, 'must name a repository'),
  path: z.string().optional(),
  targetRevision: z.string().optional(),
  tagPrefix: z.string().optional(),
  chart: z.string().optional(),
  ref: z.string().optional(),
  name: z.string().optional(),
  helm: helm.nullish().transform((block) => block ?? undefined),
  kustomize: record.nullish().transform((block) => block ?? undefined),
  directory: z
    .looseObject({
      recurse: z.boolean().optional(),
      include: z.string().optional(),
      exclude: z.string().optional(),
      disableExtensionFilter: z.boolean().optional(),
      jsonnet: record.optional(),
    })
    .nullish()
    .transform((block) => block ?? undefined),
  plugin: record.nullish().transform((block) => block ?? undefined),
});

const retry = z.looseObject({
  limit: z.number().int().optional(),
  backoff: z
    .looseObject({
      duration: z.string().optional(),
      factor: z.number().optional(),
      maxDuration: z.string().optional(),
    })
    .optional(),
  refresh: z.boolean().optional(),
});

const spec = z.looseObject({
  project: z.string().default(''),
  source: sourceSchema.optional(),
  sources: z.array(sourceSchema).optional(),
  destination: z.looseObject({
    server: z.string().optional(),
    name: z.string().optional(),
    namespace: z.string().optional(),
  }),
  syncPolicy: z
    .looseObject({
      automated: z
        .looseObject({
          enabled: z.boolean().nullish(),
          prune: z.boolean().nullish(),
          selfHeal: z.boolean().nullish(),
          allowEmpty: z.boolean().nullish(),
        })
        .nullish()
        .transform((block) => block ?? undefined),
      syncOptions: strings.nullish().transform((list) => list ?? undefined),
      retry: retry.nullish().transform((block) => block ?? undefined),
      managedNamespaceMetadata: z
        .looseObject({
          labels: z.record(z.string(), z.string()).optional(),
          annotations: z.record(z.string(), z.string()).optional(),
        })
        .optional(),
    })
    .nullish()
    .transform((block) => block ?? undefined),
  ignoreDifferences: z
    .array(
      z.looseObject({
        group: z.string().optional(),
        kind: z.string(),
        name: z.string().optional(),
        namespace: z.string().optional(),
        jsonPointers: strings.optional(),
        jqPathExpressions: strings.optional(),
        managedFieldsManagers: strings.optional(),
      }),
    )
    .nullish()
    .transform((list) => list ?? undefined),
  revisionHistoryLimit: z.number().int().optional(),
});

const operation = z.looseObject({
  sync: z
    .looseObject({
      revision: z.string().optional(),
      prune: z.boolean().optional(),
      dryRun: z.boolean().optional(),
      resources: z
        .array(
          z.looseObject({
            group: z.string().optional(),
            kind: z.string(),
            name: z.string(),
            namespace: z.string().optional(),
          }),
        )
        .optional(),
      manifests: strings.nullish().transform((list) => list ?? undefined),
      syncOptions: strings.nullish().transform((list) => list ?? undefined),
      syncStrategy: record.nullish().transform((block) => block ?? undefined),
    })
    .optional(),
  initiatedBy: z.looseObject({ username: z.string().optional(), automated: z.boolean().optional() }).optional(),
  retry: retry.nullish(),
});

const envelope = z.looseObject({
  spec,
  operation: operation.nullish().transform((value) => value ?? undefined),
  status: record.nullish().transform((value) => value ?? undefined),
});

export interface ParsedApplication {
  application: Application;
  /** One line per mistake, with the path of the field; empty when the document is right. */
  problems: string[];
}

/**
 * Reads an Application object. Unknown members are kept. A document with mistakes still gives an Application (with an
 * empty spec), so that it can be listed and carry a condition that says what is wrong.
 */
export function parseApplication(object: { metadata: { name: string }; [field: string]: unknown }): ParsedApplication {
  const remembered = parsed.get(object);
  if (remembered) return remembered;
  const fresh = parse(object);
  parsed.set(object, fresh);
  return fresh;
}

/** By identity: objects of watches are replaced, never changed. */
const parsed = new WeakMap<object, ParsedApplication>();

function parse(object: { metadata: { name: string }; [field: string]: unknown }): ParsedApplication {
  const result = envelope.safeParse(object);
  if (result.success) return { application: result.data as unknown as Application, problems: [] };
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`);
  const broken = { ...object, spec: { project: '', destination: {} }, operation: undefined };
  return { application: broken as unknown as Application, problems };
}
