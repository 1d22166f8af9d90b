/** Sees a case through: waits for rulings, and appeals those that contradict our own recomputation. */
import type { Head } from '../chain/follow.js';
import { caseOf } from '../protocol/case.js';
import { lastRound, roundFee } from '../protocol/economics.js';
import type { Verdict } from '../protocol/facts.js';
import { currentRound, taskOf } from '../protocol/marketQueries.js';
import type { CaseView, MarketView } from '../protocol/marketView.js';
import type { Hex32 } from '../protocol/task.js';
import type { Disputer } from './disputer.js';

export interface FollowOptions {
  caseId: Hex32;
  /** our own recomputation's verdict: rulings against it are appealed */
  opinion: Verdict;
  /** largest fee of a panel that we pay; default: whatever the rules allow */
  maxFee?: bigint;
}

/** Follows the case to its settlement, and appeals while a ruling contradicts us, rounds are left and we can pay. */
export async function followCase(
  disputer: Disputer,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<CaseView> {
  const { market, emit } = disputer.context;
  let appealed = 0;
  while (true) {
    const next = await market.waitFor((view, head) => nextMove(view, head, options, appealed), signal);
    if (next.move === 'settled') return next.kase;
    appealed = next.kase.rounds.length;
    const { paramsVersion } = taskOf(market.view, next.kase.taskId);
    const params = await disputer.rules.paramsOf(paramsVersion);
    const fee = roundFee(params, appealed + 1);
    if (appealed >= lastRound(params) || fee > (options.maxFee ?? fee)) continue;
    try {
      await appeal(disputer, options.caseId, fee, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Somebody else may have appealed, or we can not pay: the case goes on either way.
      const message = `No appeal in case ${options.caseId}: ${(error as Error).message}`;
      emit({ type: 'alert', level: 'warn', message, code: 'dispute.no_appeal' });
    }
  }
}

async function appeal(
  { context, purse }: Disputer,
  caseId: Hex32,
  fee: bigint,
  signal: AbortSignal,
): Promise<void> {
  const { court } = context.contracts;
  const receipt = await purse.spend(
    fee,
    () => court.write('appeal', [caseOf(context.market.view, caseId)], signal),
    signal,
  );
  await context.market.caughtUp(receipt.blockNumber, signal);
}

/** appealed: number of the newest round whose ruling we have dealt with */
function nextMove(
  view: MarketView,
  head: Head,
  { caseId, opinion }: FollowOptions,
  appealed: number,
): { move: 'settled' | 'appeal'; kase: CaseView } | undefined {
  const kase = view.cases.get(caseId);
  const round = kase && currentRound(kase);
  if (kase === undefined || round === undefined) return undefined;
  if (kase.settled) return { move: 'settled', kase };
  const isRuled = round.phase === 'ruled' && round.appealBy !== null && head.timestamp <= round.appealBy;
  // a tie is against us too: it leaves things as they were
  return isRuled && round.ruling !== opinion && round.round > appealed ? { move: 'appeal', kase } : undefined;
}
