/** After the first signal: tells what is owed, and keeps a worker there until it is done. */
import { within } from '../deadline.js';
import { formatTokens } from '../events/amount.js';
import type { Address, Hex32 } from '../protocol/task.js';
import type { RoleContext } from './context.js';
import { next } from './lane.js';
import { type Owed, owedBy, type RiskTerms, riskOf, sentenceOf } from './owed.js';

export interface StayOptions {
  context: Pick<RoleContext, 'market' | 'emit'>;
  self: Address;
  terms: RiskTerms;
  /** what at the signal seems to end later than so long after it is told, and not waited for */
  seconds: number;
  /** number of the chain's newest block: the view is up to a look behind it */
  newestBlock: () => Promise<number>;
}

/** For a node that answers at once, or is away. */
const catchUpMs = 2_000;

export interface Stay {
  /** aborts when nothing is left to wait for */
  owing: AbortSignal;
  /** before the signal every task is taken up; after it, those that were ours at that moment */
  isTaken(taskId: Hex32): boolean;
  /** settles with `owing` */
  over: Promise<void>;
}

/** taking: the first signal.  hard: the second thoughts of whoever stops, or the end of the time */
export function stayUntilDone(options: StayOptions, taking: AbortSignal, hard: AbortSignal): Stay {
  const { context, self, seconds } = options;
  const { market, emit } = context;
  const done = new AbortController();
  let ours: ReadonlySet<Hex32 | null> | null = null;
  const wait = async () => {
    await next(market, AbortSignal.any([taking, hard]), () => undefined);
    if (hard.aborted) return;
    await catchUp(options, hard);
    const limit = market.head.timestamp + seconds;
    const owedNow = () => owedBy(market.view, market.head, self);
    const owed = owedNow();
    const waited = owed.filter(({ until }) => until <= limit);
    ours = new Set(owed.map(({ taskId }) => taskId));
    const tell = (left: readonly Owed[], awaited: readonly Owed[]) => {
      if (left.length === 0 || seconds === 0) return;
      emit({ type: 'alert', level: 'warn', ...tellOwed(left, awaited, options.terms) });
    };
    tell(owed, waited);
    if (waited.length === 0) return;
    // What is waited for may last longer than it seemed, as a result does that is drawn for a check: `hard` is the bound.
    const keys = new Set(waited.map(({ key }) => key));
    const isDone = () => (owedNow().some(({ key }) => keys.has(key)) ? undefined : true);
    await market.waitFor(isDone, hard).finally(() => tell(owedNow(), []));
  };
  const over = wait()
    .catch((error) => {
      if (!hard.aborted) throw error;
    })
    .finally(() => done.abort());
  return { owing: done.signal, isTaken: (taskId) => ours === null || ours.has(taskId), over };
}

/** What has come to be or ended in the last moment is in the sentence; where the node does not answer in time, the view says what it knows. */
async function catchUp({ context: { market }, newestBlock }: StayOptions, hard: AbortSignal): Promise<void> {
  using inTime = within(catchUpMs, hard);
  const caughtUp = newestBlock().then((block) => market.caughtUp(block, inTime.signal));
  const tooLate = new Promise<void>((resolve) => {
    inTime.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([caughtUp.catch(() => {}), tooLate]);
}

/** waited: those of them that it stays for */
function tellOwed(owed: readonly Owed[], waited: readonly Owed[], terms: RiskTerms) {
  const { certain, possible } = riskOf(owed, terms);
  const costs = [
    ...(certain > 0n ? [`costs ${formatTokens(certain)} PAN`] : []),
    ...(possible > 0n ? [`risks ${formatTokens(possible)} PAN if somebody asks about the results`] : []),
  ];
  const last = waited.at(-1);
  const plan = last === undefined ? 'Leaving' : `Staying until ${clock(last.until)}, or a bit longer`;
  const leaving = costs.length === 0 ? 'leaves' : `leaves, which ${costs.join(' and ')}`;
  const again = last === undefined ? '' : ` A second Ctrl-C ${leaving}.`;
  const now = last === undefined && costs.length > 0 ? `, which ${costs.join(' and ')}` : '';
  return { message: `Still owed: ${sentenceOf(owed, clock)}. ${plan}${now}.${again}`, code: 'worker.owes' };
}

/** Local time, as clocks on the wall say it. */
function clock(seconds: number): string {
  return new Date(1000 * seconds).toTimeString().slice(0, 8);
}
