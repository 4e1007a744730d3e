import { createContext, useContext, useSyncExternalStore } from 'react';
import type { LiveState } from './state.ts';
import { LiveStream } from './stream.ts';

const StreamContext = createContext(new LiveStream());

export function useLive(): LiveState {
  const stream = useContext(StreamContext);
  return useSyncExternalStore(stream.subscribe, stream.current);
}
