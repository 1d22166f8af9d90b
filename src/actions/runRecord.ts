/** A run being written down: its folder, its events in order, and the view that the summary comes from. */
import { createBus, type EventBus, type EventListener } from '../events/bus.js';
import { openJournal } from '../events/journal.js';
import { emptyRun, project, type RunView } from '../events/projection.js';
import type { RunFolder } from './runFolder.js';

export interface RunRecord {
  readonly folder: RunFolder;
  readonly bus: EventBus;
  readonly view: RunView;
  /** Aborts with the error that makes going on pointless. */
  readonly failure: AbortSignal;
  /** The first one counts. */
  fail(error: unknown): void;
  close(): void;
}

/** Every event goes to the journal, then to `listener`; the first write that fails ends the run. */
export function openRecord(folder: RunFolder, listener: EventListener): RunRecord {
  const bus = createBus({ run: folder.runId });
  const journal = openJournal(folder.journal);
  const failure = new AbortController();
  const fail = (error: unknown) => failure.abort(error);
  let view = emptyRun();
  bus.subscribe((event) => {
    view = project(view, event);
    try {
      journal.append(event);
    } catch (error) {
      fail(error);
    }
  });
  bus.subscribe(listener);
  return {
    folder,
    bus,
    get view() {
      return view;
    },
    failure: failure.signal,
    fail,
    close: () => journal.close(),
  };
}
