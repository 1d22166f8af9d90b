/** Makes the calls that anyone may make: seeds, draws, deadlines. The master does it at once; workers when it does not. */

import { headerRlp } from '../chain/header.js';
import { isLost } from '../chain/resend.js';
import { isRefusal } from '../chain/revert.js';
import { isUnreachable } from '../chain/rpcError.js';
import type { Sent } from '../chain/send.js';
import { within } from '../deadline.js';
import { caseOf } from '../protocol/case.js';
import { seedBlock } from '../protocol/epochs.js';
import { type DueCall, demandsLeftOpen, dueCalls, usefulCalls } from '../protocol/keeper.js';
import { taskOf, termsOf } from '../protocol/marketQueries.js';
import type { Hex32 } from '../protocol/task.js';
import { slotBits } from '../protocol/terms.js';
import type { RoleContext } from './context.js';
import { fetchLeaves } from './inputs.js';
import { Ripening, type StandIn } from './patience.js';
import { requireSubmission } from './publish.js';
import { rulesOfTasks, type SubnetRules } from './rules.js';

/** A draw tries 16 positions at 27k gas each; see Staking.sol. Gas that is not used is not paid. */
const gasPerTask = 700_000n;

/** How long other calls wait for somebody's leaves. */
const leavesSeconds = 5;

export interface KeepOptions {
  rules: SubnetRules;
  /** of those who stand in for the master; without one every call is made at once */
  standIn?: StandIn;
}

type Keeper = Pick<RoleContext, 'chain' | 'contracts' | 'market' | 'sot' | 'emit'>;

/** Keeps the market moving until the signal. A node that is away is waited for; refusals mean that somebody was faster, or
 *  that the next epoch has to decide. */
async function keepMarket(context: Keeper, options: KeepOptions, signal: AbortSignal): Promise<void> {
  const { market } = context;
  const ripening = new Ripening(options.rules);
  let seen = -1;
  try {
    while (!signal.aborted) {
      seen = await market.waitFor((_, head) => (head.number > seen ? head.number : undefined), signal);
      const clock = { block: market.head.number, now: market.head.timestamp };
      const { view } = market;
      // A version that no task had before is read; a node that does not answer then has the next block to do so.
      const rules = await tolerant(
        context,
        'reading the rules',
        () => rulesOfTasks(options.rules, view),
        signal,
      );
      if (rules === null) continue;
      const due = [...dueCalls(view, clock, rules), ...demandsLeftOpen(view, clock)];
      const useful = usefulCalls(due, view, clock, rules);
      // What is in vain now has been due all the same: nobody who waits for others begins anew when it is not any more.
      const patience = (call: DueCall) =>
        useful.includes(call) ? (options.standIn?.patienceFor(call, useful, view, rules) ?? 0) : Infinity;
      const calls = ripening.ripe(due, clock, patience);
      if (calls.length > 0) await perform(context, { calls, ripening, rules: options.rules }, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** `work`, with the market kept moving beside it. When keeping fails for good, so does this. */
export async function keepDuring<T>(
  context: Keeper,
  options: KeepOptions,
  signal: AbortSignal,
  work: Promise<T>,
): Promise<T> {
  const closing = new AbortController();
  const keeping = keepMarket(context, options, AbortSignal.any([signal, closing.signal]));
  try {
    return await Promise.race([work, keeping.then(() => work)]);
  } finally {
    closing.abort();
    await Promise.allSettled([keeping]);
  }
}

/** Sends all, in order and without waiting in between: a draw must land in the same epoch as its seed. */
async function perform(
  context: Keeper,
  { calls, ripening, rules }: { calls: readonly DueCall[]; ripening: Ripening; rules: SubnetRules },
  signal: AbortSignal,
): Promise<void> {
  const sent: { call: DueCall; one: Sent }[] = [];
  const attempt = <T>(call: DueCall, act: () => Promise<T>) =>
    tolerant(
      context,
      call.call,
      () =>
        act().catch((error) => {
          if (isRefusal(error, 'SeedAlreadyKnown')) ripening.beaten(call);
          throw error;
        }),
      signal,
    );
  const demanded = calls.flatMap((call) => (call.call === 'publishLeaves' ? [call.taskId] : []));
  const leaves = servedLeaves(context, demanded, signal);
  for (const call of calls) {
    const one = await attempt(call, () => send(context, call, { rules, leaves }, signal));
    if (one !== null) sent.push({ call, one });
  }
  for (const { call, one } of sent) {
    const receipt = await attempt(call, () => one.confirmed());
    if (receipt !== null) await context.market.caughtUp(receipt.blockNumber, signal);
  }
}

interface Known {
  rules: SubnetRules;
  /** by task; see `servedLeaves` */
  leaves: ReadonlyMap<Hex32, Promise<readonly Hex32[] | null>>;
}

async function send(
  context: Keeper,
  call: DueCall,
  { rules, leaves: served }: Known,
  signal: AbortSignal,
): Promise<Sent | null> {
  const { chain, contracts } = context;
  const { view } = context.market;
  const { beacon, market, court, challenge, audit } = contracts;
  switch (call.call) {
    case 'fulfil': {
      const header = await headerRlp(chain, seedBlock(call.epoch, rules));
      return beacon.send('fulfil', [call.epoch, header], signal);
    }
    case 'assignMany':
    case 'finalizeMany':
    case 'expireMany': {
      // These catch the refusals of single tasks, so an estimate would be the gas of doing nothing.
      const gasLimit = gasPerTask * BigInt(call.slots.length + 1);
      const args = [termsOf(view, call.batchId), slotBits(call.slots)] as const;
      const done = await market.simulate(call.call, args, { gasLimit });
      return done === 0n ? null : market.send(call.call, args, { signal, gasLimit });
    }
    case 'drawSeats':
      return court.send('drawSeats', [caseOf(view, call.caseId)], signal);
    case 'advance':
      return court.send('advance', [caseOf(view, call.caseId)], signal);
    case 'settle': {
      const about = caseOf(view, call.caseId);
      const { terms, slot } = taskOf(view, about.taskId);
      return court.send('settle', [about, terms, slot], signal);
    }
    case 'closeDemand': {
      const { terms, slot } = taskOf(view, call.taskId);
      return challenge.send('closeDemand', [terms, slot], signal);
    }
    case 'publishLeaves': {
      const task = taskOf(view, call.taskId);
      const leaves = await served.get(call.taskId);
      if (leaves == null) return null;
      const { terms, slot } = task;
      return challenge.send('publishLeaves', [terms, slot, requireSubmission({ task }), leaves], signal);
    }
    case 'drawChecker': {
      const { terms, slot } = taskOf(view, call.taskId);
      return audit.send('drawChecker', [terms, slot], signal);
    }
    case 'closeCheck': {
      const { terms, slot } = taskOf(view, call.taskId);
      return audit.send('closeCheck', [terms, slot], signal);
    }
    case 'closeSeats':
      return court.send('closeSeats', [caseOf(view, call.caseId), call.round], signal);
  }
}

/** Solvers' leaves out of the Source of Truth, all at once; null where it does not have them, or does not answer in time. A server that
 *  hangs keeps other calls waiting once and not for each of them. No promise rejects. */
export function servedLeaves(
  { sot, market, emit }: Pick<Keeper, 'sot' | 'market' | 'emit'>,
  taskIds: readonly Hex32[],
  signal: AbortSignal,
): Map<Hex32, Promise<readonly Hex32[] | null>> {
  if (taskIds.length === 0) return new Map();
  const inTime = within(1000 * leavesSeconds, signal);
  const fetched = async (taskId: Hex32) => {
    try {
      const task = taskOf(market.view, taskId);
      return await fetchLeaves(sot, requireSubmission({ task }), task.terms.innerSteps, inTime.signal);
    } catch (error) {
      const message = `The leaves of task ${taskId} are demanded and can not be fetched: ${(error as Error).message}`;
      if (!signal.aborted) emit({ type: 'alert', level: 'debug', message });
      return null;
    }
  };
  const all = new Map(taskIds.map((taskId) => [taskId, fetched(taskId)]));
  void Promise.all(all.values()).finally(() => inTime[Symbol.dispose]());
  return all;
}

/** Null when a contract refused, the node is away, or it lost the transaction: all show in the next blocks. */
async function tolerant<T>(
  { emit }: Keeper,
  what: string,
  act: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    signal.throwIfAborted();
    if (!isRefusal(error) && !isUnreachable(error) && !isLost(error)) throw error;
    emit({
      type: 'alert',
      level: 'debug',
      message: `${what} came to nothing: ${(error as Error).message}`,
    });
    return null;
  }
}
