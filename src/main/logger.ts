import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';
import type { Logger } from '#base/log.ts';
import { redact } from '#base/redact.ts';

/** JSON lines to a file or to standard error, with secrets masked in messages and in every string field. */
export function createLogger(options: { file?: string; level?: string }): Logger {
  if (options.file) mkdirSync(dirname(options.file), { recursive: true });
  // Synchronous: the last lines before a crash are the ones that matter.
  const destination = pino.destination({ dest: options.file ?? 2, sync: true });
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => redact(line) },
    },
    destination,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}
