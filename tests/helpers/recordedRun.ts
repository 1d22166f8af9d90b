/** A run that really happened: preset smoke, two rounds, worker_2 cheats (zero-delta) and is slashed. Recorded with
 *  panthalia simulate --preset smoke --seed 7 --rounds 2 --cheat worker_2:zero-delta */
import { join } from 'node:path';
import { readJournal } from '../../src/events/journal.js';
import type { PanthaliaEvent, StampedEvent } from '../../src/events/types.js';

export const recordedJournal = join(import.meta.dirname, '../fixtures/cheatRun.jsonl');

export function recordedEvents(): StampedEvent[] {
  return readJournal(recordedJournal);
}

/** The number of events up to the first one for which `ask` holds, it included. */
export function countUntil(events: readonly StampedEvent[], ask: (event: StampedEvent) => boolean): number {
  const at = events.findIndex(ask);
  if (at < 0) throw new Error('the recorded run has no such event');
  return at + 1;
}

/** Whether the event is this fact. */
export function isFact(event: StampedEvent, type: string): boolean {
  return event.type === 'chain.fact' && event.fact.type === type;
}

/** Stamps events for a test, a second apart. */
export function stamper(
  startMs = Date.UTC(2026, 0, 1),
): (src: string, event: PanthaliaEvent) => StampedEvent {
  let seq = 0;
  return (src, event) => {
    const t = new Date(startMs + 1000 * seq).toISOString();
    return { ...event, v: 2, seq: seq++, t, run: 'demo', src };
  };
}
