/** Who makes a call that is due: the master at once, everybody else after a while, one after the other so that they do not race. */
import { type EpochRules, epochOf } from '../protocol/epochs.js';
import type { Clock, DueCall, MarketRules } from '../protocol/keeper.js';
import { isTerminal, termsOf } from '../protocol/marketQueries.js';
import type { MarketView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';

const mostPatienceSeconds = 15;
const mostSpreadSeconds = 10;

export interface StandIn {
  /** Seconds for which the call is left to others. */
  patienceFor(call: DueCall, view: MarketView, rules: MarketRules): number;
}

/** A call that nobody makes within its window loses somebody something, so half of the window is the longest that anybody waits. The
 *  window is that of the version which the task was posted under: others come into force while we run. */
export function standIn(self: Address): StandIn {
  const place = Number.parseInt(self.slice(2, 10), 16) / 2 ** 32;
  return {
    patienceFor: (call, view, rules) => {
      const quarter = Math.min(...versionsOf(call, view).map((one) => windowOf(call, one, rules))) / 4;
      return Math.min(mostPatienceSeconds, quarter) + place * Math.min(mostSpreadSeconds, quarter);
    },
  };
}

/** Seconds. A draw of a solver or a panel has the time to draw; one of a checker has the challenge window, which it shares with the seed
 *  before it; a demand is shown by others in the second half of its time. What else is due waits for nobody. */
function windowOf({ call }: DueCall, version: number, { versions }: MarketRules): number {
  const rules = versions.get(version);
  if (rules === undefined) throw new Error(`version ${version} was not read`);
  const { openSeconds, challengeSeconds, clockSeconds } = rules;
  if (call === 'fulfil' || call === 'drawChecker') return Math.min(openSeconds, challengeSeconds / 2);
  return call === 'publishLeaves' ? clockSeconds / 2 : openSeconds;
}

/** Of the tasks that wait for it: for a seed, all that have not ended. */
function versionsOf(call: DueCall, view: MarketView): number[] {
  if ('batchId' in call) return [termsOf(view, call.batchId).paramsVersion];
  const taskId =
    'caseId' in call ? view.cases.get(call.caseId)?.taskId : 'taskId' in call ? call.taskId : null;
  const tasks = [...view.tasks.values()].filter((task) =>
    taskId === null ? !isTerminal(task.state) : task.taskId === taskId,
  );
  return tasks.map(({ paramsVersion }) => paramsVersion);
}

/** Remembers since when calls are due, and which ones were tried, so that nothing is repeated in vain. */
export class Ripening {
  readonly #rules: EpochRules;
  #due = new Map<string, { since: number; seenIn: number }>();
  #triedIn = new Map<string, number>();

  constructor(rules: EpochRules) {
    this.#rules = rules;
  }

  /** The calls to make in this block. What is still due after a try is tried again in the next epoch.
   *  patience: seconds for which a call has to have been due */
  ripe(calls: readonly DueCall[], { block, now }: Clock, patience: (call: DueCall) => number): DueCall[] {
    const epoch = epochOf(block + 1, this.#rules);
    const keys = new Set(calls.map((call) => keyOf(call, epoch)));
    // Draws pause at the end of every epoch, until the next seed can be proven: that is no new beginning.
    this.#due = new Map([...this.#due].filter(([, { seenIn }]) => seenIn >= epoch - 1));
    this.#triedIn = new Map([...this.#triedIn].filter(([key]) => keys.has(key)));
    return calls.filter((call) => {
      const key = keyOf(call, epoch);
      const since = this.#due.get(key)?.since ?? now;
      this.#due.set(key, { since, seenIn: epoch });
      if (now - since < patience(call) || this.#triedIn.get(key) === epoch) return false;
      this.#triedIn.set(key, epoch);
      return true;
    });
  }
}

/** A seed is wanted for the draws of any epoch: whichever comes next is the same call. An older one is wanted for itself. */
function keyOf(call: DueCall, epoch: number): string {
  return call.call === 'fulfil' && call.epoch === epoch - 1 ? call.call : JSON.stringify(call);
}
