/** A run that somebody else started, until it ends or turns out to have been killed. */
import { followJournal } from '../events/follow.js';
import type { StampedEvent } from '../events/types.js';
import type { RunFolder } from './runFolder.js';
import { wasKilled } from './runState.js';

/** A run says something every block or so, and at its end all its processes are gone a moment before it says that. */
const quietMs = 5_000;

/** As followJournal; ends too, and says so, where nobody is left who could write more.
 *  throws what followJournal throws */
export async function* followRun(
  folder: RunFolder,
  say: (line: string) => void,
  signal: AbortSignal,
): AsyncGenerator<StampedEvent[]> {
  let quietSinceMs = Date.now();
  for await (const events of followJournal(folder.journal, signal)) {
    yield events;
    if (events.length === 0 && Date.now() - quietSinceMs < quietMs) continue;
    if (events.length === 0 && (await wasKilled(folder))) {
      say(`Run ${folder.runId} was killed before it could tell its end: nothing more comes.`);
      return;
    }
    quietSinceMs = Date.now();
  }
}
