/** The journal of a real run, as `panthalia simulate --preset smoke --rounds 2 --inner-steps 6 --cheat worker_2:noise` left it. */
import { join } from 'node:path';
import { readJournal } from '../../src/events/journal.js';
import { emptyRun, project } from '../../src/events/projection.js';
import { summarise } from '../../src/events/summary.js';
import type { StampedEvent } from '../../src/events/types.js';
import { reportModel } from '../../src/report/buildModel.js';
import type { ReportModel } from '../../src/report/model.js';

export const demoJournal = join(import.meta.dirname, '../fixtures/journal/cheatedRun.jsonl');

export function cheatedRun(): StampedEvent[] {
  return readJournal(demoJournal);
}

export function modelOf(events: readonly StampedEvent[]): ReportModel {
  return reportModel(events, summarise(events.reduce(project, emptyRun()), null));
}
