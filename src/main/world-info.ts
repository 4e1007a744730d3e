import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';

const Account = z.object({ login: z.string(), name: z.string(), email: z.string(), token: z.string() });

/**
 * What a person (or the demo, or a test) needs to use a running world from outside: addresses and accounts. Kept in
 * `world.json` of the data directory, readable by its owner only.
 */
export const WorldInfo = z.object({
  pid: z.number(),
  slipway: z.object({ url: z.string(), token: z.string() }),
  kubernetes: z.object({ url: z.string(), kubeconfig: z.string() }),
  /** Ingresses answer there by their hosts. */
  ingress: z.object({ httpPort: z.number(), httpsPort: z.number() }),
  registry: z.object({ url: z.string(), host: z.string() }),
  forge: z.object({ url: z.string(), apiUrl: z.string() }),
  developer: Account,
  reviewer: Account,
});
export type WorldInfo = z.infer<typeof WorldInfo>;
export type Account = z.infer<typeof Account>;

export function readWorldInfo(path: string): WorldInfo {
  const parsed = WorldInfo.safeParse(parseJson(readFileSync(path, 'utf8'), path));
  if (parsed.success) return parsed.data;
  throw new AppError('corrupt-data', `${path} does not describe a world: ${z.prettifyError(parsed.error)}`, {
    hint: 'stop the world and start it again: the file is written anew',
  });
}
