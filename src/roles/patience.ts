/** Who makes a call that is due: the master at once, everybody else after a while, one after the other so that they do not race. */

import { rollEpoch } from '../protocol/drawnChecks.js';
import { type EpochRules, epochOf } from '../protocol/epochs.js';
import { type Clock, type DueCall, type MarketRules, versionOf } from '../protocol/keeper.js';
import { taskOf } from '../protocol/marketQueries.js';
import type { MarketView, TaskView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';

const mostPatienceSeconds = 15;
const mostSpreadSeconds = 10;

export interface StandIn {
  /** Seconds for which the call is left to others.  due: all that are due beside it */
  patienceFor(call: DueCall, due: readonly DueCall[], view: MarketView, rules: MarketRules): number;
}

/** A call that nobody makes within its window loses somebody something, so half of the window is the longest that anybody waits. The
 *  window is that of the version which the task was posted under: others come into force while we run. */
export function standIn(self: Address): StandIn {
  const place = placeOf(self);
  return {
    patienceFor: (call, due, view, rules) => {
      const quarter = Math.min(...windowsOf(call, due, view, rules)) / 4;
      return Math.min(mostPatienceSeconds, quarter) + place * Math.min(mostSpreadSeconds, quarter);
    },
  };
}

/** From 0 to 1: those who wait for the same do not all begin at once. */
export function placeOf(self: Address): number {
  return Number.parseInt(self.slice(2, 10), 16) / 2 ** 32;
}

/** Seconds, of every task that waits for it. A draw of a solver or a panel has the time to draw; one of a checker has half of the
 *  challenge window, and the seed before it the other half; a demand is shown by others in the second half of its time. What else is due
 *  waits for nobody. */
function windowsOf(call: DueCall, due: readonly DueCall[], view: MarketView, rules: MarketRules): number[] {
  if (call.call === 'fulfil') return windowsOfSeed(call, due, view, rules);
  return tasksOf(call, view).map((task) => {
    const { openSeconds, challengeSeconds, clockSeconds } = versionOf(task, rules);
    if (call.call === 'drawChecker') return Math.min(openSeconds, challengeSeconds / 2);
    return call.call === 'publishLeaves' ? clockSeconds / 2 : openSeconds;
  });
}

/** Of the draws that are made with it, so that both are in one epoch, and of the submissions that it says are checked. */
function windowsOfSeed(
  { epoch }: { epoch: number },
  due: readonly DueCall[],
  view: MarketView,
  rules: MarketRules,
): number[] {
  const isNewest = due.every((one) => one.call !== 'fulfil' || one.epoch <= epoch);
  const drawn = isNewest ? due.filter(({ call }) => drawCalls.has(call)) : [];
  const submitted = [...view.tasks.values()].filter(
    (task) => (task.state === 'submitted' || task.state === 'disputed') && rollEpoch(task, rules) === epoch,
  );
  return [
    ...drawn.flatMap((one) => windowsOf(one, due, view, rules)),
    ...submitted.map((task) => versionOf(task, rules).challengeSeconds / 2),
  ];
}

const drawCalls: ReadonlySet<DueCall['call']> = new Set(['assignMany', 'drawSeats', 'drawChecker']);

function tasksOf(call: Exclude<DueCall, { call: 'fulfil' }>, view: MarketView): TaskView[] {
  if ('batchId' in call) return [...view.tasks.values()].filter(({ batchId }) => batchId === call.batchId);
  const taskId = 'caseId' in call ? view.cases.get(call.caseId)?.taskId : call.taskId;
  return taskId === undefined ? [] : [taskOf(view, taskId)];
}

/** Remembers since when calls are due, and which ones were tried, so that nothing is repeated in vain. */
export class Ripening {
  readonly #rules: EpochRules;
  /** triedIn: the last epoch that we made it in */
  #due = new Map<string, { since: number; seenIn: number; triedIn?: number }>();
  #triedIn = new Map<string, number>();

  constructor(rules: EpochRules) {
    this.#rules = rules;
  }

  /** The calls to make in this block. What is still due after a try is tried again in the next epoch.
   *  patience: seconds for which a call has to have been due */
  ripe(calls: readonly DueCall[], { block, now }: Clock, patience: (call: DueCall) => number): DueCall[] {
    const epoch = epochOf(block + 1, this.#rules);
    const keys = new Set(calls.map((call) => keyOf(call, epoch)));
    // Draws pause at the end of every epoch, until the next seed can be proven: that is no new beginning. A seed that is there in the epoch
    // that it was wanted in was made by somebody: those who have not tried can go on relying on that.
    const isMade = (key: string, { seenIn, triedIn }: { seenIn: number; triedIn?: number }) =>
      key === seedKey && seenIn === epoch && triedIn !== epoch && !keys.has(key);
    this.#due = new Map([...this.#due].filter(([key, one]) => one.seenIn >= epoch - 1 && !isMade(key, one)));
    this.#triedIn = new Map([...this.#triedIn].filter(([key]) => keys.has(key)));
    return calls.filter((call) => {
      const key = keyOf(call, epoch);
      const one = { since: now, ...this.#due.get(key), seenIn: epoch };
      this.#due.set(key, one);
      if (now - one.since < patience(call) || this.#triedIn.get(key) === epoch) return false;
      this.#triedIn.set(key, epoch);
      this.#due.set(key, { ...one, triedIn: epoch });
      return true;
    });
  }

  /** Somebody else has made this seed first, so somebody is there: the next one is left to others as if it were new. */
  beaten(call: DueCall): void {
    if (call.call === 'fulfil') this.#due.delete(seedKey);
  }
}

const seedKey: DueCall['call'] = 'fulfil';

/** A seed is wanted for the draws of any epoch: whichever comes next is the same call. An older one is wanted for itself. */
function keyOf(call: DueCall, epoch: number): string {
  return call.call === 'fulfil' && call.epoch === epoch - 1 ? seedKey : JSON.stringify(call);
}
