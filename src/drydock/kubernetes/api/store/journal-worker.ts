/** Keeps a journal's file on a thread of its own: waiting for the disk holds up nobody. */
import { parentPort, workerData } from 'node:worker_threads';
import { JournalFile, type JournalRow } from './journal-file.ts';

export type JournalRequest = { do: 'open' } | { do: 'write'; rows: JournalRow[] } | { do: 'close' };
export type JournalReply = { revision: number; rows: JournalRow[] } | { failure: string } | undefined;

const path = String(workerData);
let file: JournalFile | undefined;

function answer(request: JournalRequest): JournalReply {
  switch (request.do) {
    case 'open':
      file = new JournalFile(path);
      return { revision: file.revision, rows: file.load() };
    case 'write':
      file?.write(request.rows);
      return undefined;
    case 'close':
      file?.close();
      return undefined;
  }
}

parentPort?.on('message', (request: JournalRequest) => {
  let reply: JournalReply;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { failure: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
});
