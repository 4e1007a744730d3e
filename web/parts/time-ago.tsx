import { ago } from './time.ts';
import { useNow } from './use-now.ts';

export function TimeAgo({ at }: { at: number }) {
  const now = useNow();
  const iso = new Date(at).toISOString();
  return (
    <time dateTime={iso} title={new Date(at).toLocaleString()}>
      {ago(at, now)}
    </time>
  );
}
