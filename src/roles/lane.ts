/** A line of work: takes what is most urgent, does it, takes the next. */
import type { Head, MarketFollower } from '../chain/follow.js';
import { SotRefusal } from '../data/blobRequest.js';
import { type ErrorFamily, PanthaliaError } from '../errors.js';
import type { Emit } from '../events/types.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import { isPointless } from './job.js';

/** What failed is tried again after this long, while it is still wanted. */
const retrySeconds = 2;
/** Trying again does not mend these: the user has to. */
const fatal: ReadonlySet<ErrorFamily> = new Set(['user', 'usage', 'config', 'build']);

/** A piece of work about a task. */
export interface LaneItem {
  task: TaskView;
  /** the case, where it is about one of several */
  kase?: CaseView;
  /** what else tells it from others about the same task */
  key?: string;
}

/** `shown`: by a block, so that what is to be done all the same was taken back by a reorganisation, and is done again.
 *  `over`: not again while it is to be done, whatever became of it */
export type Done = 'shown' | 'over';

export interface Lane<Item extends LaneItem> {
  /** for messages: `solve` */
  name: string;
  /** what could be worked on now, the most urgent first */
  candidates(view: MarketView, head: Head): readonly Item[];
  work(item: Item): Promise<Done>;
}

export interface LaneHost {
  market: MarketFollower;
  emit: Emit;
  /** called around each piece of work */
  onBusy?: (change: 1 | -1) => void;
}

export interface LaneSignals {
  /** no new work after it; what is running ends by itself */
  taking: AbortSignal;
  /** everything ends */
  hard: AbortSignal;
}

/** Runs until `taking`. Each attempt at a task, or case of one, is worked on once, and again where the chain forgets it; a failure is
 *  reported and tried again later.
 *  throws what trying again would not mend, and the reason of `hard` */
export async function runLane<Item extends LaneItem>(
  lane: Lane<Item>,
  { market, emit, onBusy }: LaneHost,
  { taking, hard }: LaneSignals,
): Promise<void> {
  const notBefore = new Map<string, number>();
  const ready = (item: Item, head: Head) => (notBefore.get(keyOf(item)) ?? 0) <= head.timestamp;
  while (true) {
    const item = await next(market, taking, (view, head) => {
      const candidates = lane.candidates(view, head);
      const wanted = new Set(candidates.map(keyOf));
      for (const key of notBefore.keys()) if (!wanted.has(key)) notBefore.delete(key);
      return candidates.find((candidate) => ready(candidate, head));
    });
    if (item === null) return;
    const again = (after: Done) =>
      notBefore.set(
        keyOf(item),
        after === 'over' ? Number.POSITIVE_INFINITY : market.head.timestamp + retrySeconds,
      );
    onBusy?.(1);
    try {
      again(await lane.work(item));
    } catch (error) {
      hard.throwIfAborted();
      if (isFatal(error)) throw error;
      report(emit, lane.name, item.task, error);
      // Also after what became pointless: the next panel of a case may draw us again.
      again('shown');
    } finally {
      onBusy?.(-1);
    }
  }
}

/** What `ask` finds, or null once `taking` has aborted. */
export async function next<T>(
  market: MarketFollower,
  taking: AbortSignal,
  ask: (view: MarketView, head: Head) => T | undefined,
): Promise<T | null> {
  try {
    return await market.waitFor(ask, taking);
  } catch (error) {
    if (taking.aborted) return null;
    throw error;
  }
}

/** What a server says about a blob is nothing that the user has to mend: it must not end a worker that has more at stake. */
function isFatal(error: unknown): boolean {
  return error instanceof PanthaliaError && fatal.has(error.family) && !(error instanceof SotRefusal);
}

function report(emit: Emit, lane: string, task: TaskView, error: unknown): void {
  const { message, code } = error as { message?: string; code?: string };
  const level = isPointless(error) ? 'info' : 'warn';
  emit({
    type: 'alert',
    level,
    message: `${lane} of task ${task.taskId} (round ${task.round}, slot ${task.slot}) ended: ${message ?? String(error)}`,
    ...(code === undefined ? {} : { code }),
  });
}

function keyOf({ task, kase, key }: LaneItem): string {
  return `${task.taskId}/${task.attempt}/${kase?.caseId ?? key ?? ''}`;
}
