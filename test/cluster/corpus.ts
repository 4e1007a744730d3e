import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApplicationSpec } from '#model/argocd/application.ts';

const folder = join(import.meta.dirname, 'corpus');

/** A repository as teams write them: a chart, an overlay, or plain manifests. */
export interface CorpusCase {
  name: string;
  files: Record<string, string>;
  path: string;
  spec: Partial<ApplicationSpec>;
}

const paths: Record<string, string> = { overlay: 'overlays/prod' };

/** What a team has to say beside its manifests. */
const specs: Record<string, Partial<ApplicationSpec>> = {
  // Another program writes the authority that it makes for the webhooks into them.
  certificates: {
    ignoreDifferences: [
      {
        group: 'admissionregistration.k8s.io',
        kind: '*WebhookConfiguration',
        jqPathExpressions: ['.webhooks[]?.clientConfig.caBundle'],
      },
    ],
  },
};

/** Every folder of `corpus`: each must be Synced after its first sync, and stay so without a write. */
export function corpus(): CorpusCase[] {
  return readdirSync(folder).map((name) => {
    const root = join(folder, name);
    const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1), readFileSync(path, 'utf8')] as const;
    });
    return { name, files: Object.fromEntries(files), path: paths[name] ?? '.', spec: specs[name] ?? {} };
  });
}
