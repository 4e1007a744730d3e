import { ApiError } from '../api/client.ts';

/** What went wrong and what to do, where the content would stand. */
export function Problem({ error }: { error: unknown }) {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiError ? error.hint : undefined;
  return (
    <div className="problem" role="alert">
      <p>{message}</p>
      {hint && <p className="hint">{hint}</p>}
    </div>
  );
}
