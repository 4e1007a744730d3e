import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import { writeFileDurably } from './data-directory.ts';

/** The secrets of a laptop world: made once, kept in its data directory, readable by its owner only. */
const WorldSecrets = z.strictObject({
  developerToken: z.string().min(20),
  reviewerToken: z.string().min(20),
  slipwayForgeToken: z.string().min(20),
  pipelineToken: z.string().min(20),
  registryPassword: z.string().min(20),
  webhookSecret: z.string().min(20),
  serverToken: z.string().min(20),
});
export type WorldSecrets = z.infer<typeof WorldSecrets>;

export function readOrMakeSecrets(path: string, entropy: Entropy): WorldSecrets {
  const secrets = existsSync(path) ? parseSecrets(path) : makeSecrets(path, entropy);
  for (const value of Object.values(secrets)) registerSecret(value);
  return secrets;
}

function makeSecrets(path: string, entropy: Entropy): WorldSecrets {
  const token = (prefix: string) => `${prefix}${entropy.bytes(24).toString('base64url')}`;
  const secrets: WorldSecrets = {
    developerToken: token('dev_'),
    reviewerToken: token('rev_'),
    slipwayForgeToken: token('slw_'),
    pipelineToken: token('pip_'),
    registryPassword: token('reg_'),
    webhookSecret: token('hook_'),
    serverToken: token('srv_'),
  };
  writeFileDurably(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function parseSecrets(path: string): WorldSecrets {
  let document: unknown;
  try {
    document = parseJson(readFileSync(path, 'utf8'), path);
  } catch {
    document = undefined;
  }
  const parsed = WorldSecrets.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new AppError('corrupt-data', `${path} does not hold this world's secrets`, {
    hint: 'restore it, or move the whole directory away to start a new world',
  });
}
