import pino from 'pino';
import type { Logger } from '#base/log.ts';
import { redact } from '#base/redact.ts';
import { LogFile } from './log-file.ts';

/** JSON lines to a file or to standard error, with secrets masked in messages and in every string field. */
export function createLogger(options: { file?: string; level?: string }): Logger {
  const destination = options.file ? new LogFile(options.file) : pino.destination({ dest: 2, sync: true });
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
