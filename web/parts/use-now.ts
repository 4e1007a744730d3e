import { useEffect, useState } from 'react';

const stepMs = 5000;

/** The time, fresh every few seconds, so that relative times stay right. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), stepMs);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
