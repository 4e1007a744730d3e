/**
 * What one tick of a loop came to, when nothing failed unexpectedly. Failures are thrown as AppError and lead to back-off.
 */
export type Outcome =
  | { kind: 'done'; recheckAfterMs?: number }
  | { kind: 'waiting'; reason: string; message: string; retryAfterMs: number }
  | { kind: 'stalled'; reason: string; message: string };
