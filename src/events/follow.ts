/** A journal that is still being written, as it grows. */
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeEvent } from './line.js';
import type { StampedEvent } from './types.js';

const readBytes = 1 << 20;
const pauseMs = 200;

/** All events of the journal, then the new ones as they are written, in portions; ends only with the signal, whose reason it
 *  throws. An empty portion says that everything written so far has been told. Lines that are no events are left out.
 *  throws what `open` throws */
export async function* followJournal(path: string, signal: AbortSignal): AsyncGenerator<StampedEvent[]> {
  await using file = await openFile(path);
  const buffer = Buffer.alloc(readBytes);
  // Bytes, because a portion may end in the middle of a character.
  let rest = Buffer.alloc(0);
  while (true) {
    signal.throwIfAborted();
    const { bytesRead } = await file.handle.read(buffer, 0, readBytes);
    if (bytesRead === 0) {
      yield [];
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      continue;
    }
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const end = bytes.lastIndexOf('\n') + 1;
    rest = Buffer.from(bytes.subarray(end));
    const lines = bytes.subarray(0, end).toString('utf8').split('\n');
    yield lines.map(decodeEvent).filter((event) => event !== null);
  }
}

async function openFile(path: string) {
  const handle = await open(path, 'r');
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}
