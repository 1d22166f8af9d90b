/** Sees a case through: waits for rulings, makes the step again where one is against us, and appeals what that contradicts. */
import { latestBlock } from '../chain/client.js';
import { isRefusal } from '../chain/revert.js';
import { formatTokens } from '../events/amount.js';
import {
  type Acceptance,
  type Appeal,
  type CaseMove,
  type Claim,
  caseMove,
  type Stand,
} from '../protocol/appeal.js';
import { caseOf } from '../protocol/case.js';
import type { Verdict } from '../protocol/facts.js';
import { isTerminal, taskOf } from '../protocol/marketQueries.js';
import type { CaseView, MarketView, RoundView, TaskView } from '../protocol/marketView.js';
import type { Hex32 } from '../protocol/task.js';
import type { Disputer } from './disputer.js';
import { whenNodeAnswers, whileWanted } from './job.js';

/** A look that failed is tried again after so long. */
const retrySeconds = 2;

export interface FollowOptions {
  caseId: Hex32;
  claim: Claim;
  /** makes the step of the case again, from what everybody can fetch now, in so many seconds */
  look(task: TaskView, kase: CaseView, seconds: number, signal: AbortSignal): Promise<Verdict>;
  /** largest fee of a panel that we pay; default: whatever the rules allow */
  maxFee?: bigint;
}

/** Follows the case to its settlement, and appeals while a ruling is wrong and against us, rounds are left and we can pay. */
export async function followCase(
  disputer: Disputer,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<CaseView> {
  const { market } = disputer.context;
  const { caseId } = options;
  const over = new AbortController();
  const tell = teller(disputer, caseId);
  const paramsVersion = await market.waitFor((view) => taskOfCase(view, caseId)?.paramsVersion, signal);
  const params = await whenNodeAnswers(market, signal, () => disputer.rules.paramsOf(paramsVersion));
  // A panel has as long for the same.
  const looking = { ...options, seconds: params.commitSeconds };
  const looks = createLooks(disputer, looking, AbortSignal.any([signal, over.signal]));
  /** of the last try to appeal: the next one sees another block */
  let triedAt = -1;
  const isToDo = (move: CaseMove, block: number) => {
    if (move.move === 'look') return looks.canBegin();
    return move.move === 'accept' ? !tell.hasTold(move.round, move.why) : block > triedAt;
  };
  try {
    while (true) {
      const next = await market.waitFor((view, head) => {
        const stand: Stand = { ...options, found: looks.found() };
        const move = caseMove(view, head.timestamp, caseId, stand, params);
        return move !== undefined && (move.move === 'settled' || isToDo(move, head.number))
          ? move
          : undefined;
      }, signal);
      if (next.move === 'settled') return next.kase;
      if (next.move === 'look') looks.begin(next.round);
      else if (next.move === 'accept') tell.accepted(next);
      else {
        triedAt = market.head.number;
        await appeal(disputer, caseId, next.fee, signal).then(
          () => tell.appealed(next),
          (error) => {
            signal.throwIfAborted();
            tell.failed(next, error);
          },
        );
      }
    }
  } finally {
    over.abort(new Error('the case is over'));
    await looks.ended();
  }
}

/** In the background: the window to appeal does not wait for it. */
function createLooks(
  { context: { market, emit } }: Disputer,
  { caseId, look, seconds }: FollowOptions & { seconds: number },
  signal: AbortSignal,
) {
  let found: Stand['found'] = null;
  let looking: Promise<void> | null = null;
  let notBefore = 0;
  const isOpen = (view: MarketView) => {
    const state = taskOfCase(view, caseId)?.state;
    return state !== undefined && !isTerminal(state) && view.cases.get(caseId)?.settled === false;
  };
  const make = async (round: number) => {
    const [task, kase] = [taskOfCase(market.view, caseId), market.view.cases.get(caseId)];
    if (task === undefined || kase === undefined) return;
    const verdict = await whileWanted(market, isOpen, signal, (wanted) => look(task, kase, seconds, wanted));
    found = { verdict, round };
  };
  return {
    found: () => found,
    canBegin: () => looking === null && market.head.timestamp >= notBefore,
    begin: (round: number) => {
      looking = make(round)
        .catch((error: Error) => {
          if (signal.aborted || !isOpen(market.view)) return;
          notBefore = market.head.timestamp + retrySeconds;
          const message = `The step of case ${caseId} is not made again yet: ${error.message}`;
          emit({ type: 'alert', level: 'warn', message, code: 'case.no_look' });
        })
        .finally(() => {
          looking = null;
        });
    },
    ended: async () => looking,
  };
}

/** throws user/account.no_tokens, reverted/contract.*, network/* */
async function appeal(
  { context, purse }: Disputer,
  caseId: Hex32,
  fee: bigint,
  signal: AbortSignal,
): Promise<void> {
  const { contracts, market, chain } = context;
  const write = () => contracts.court.write('appeal', [caseOf(market.view, caseId)], signal);
  try {
    const { blockNumber } = await purse.spend(fee, write, signal);
    await market.caughtUp(blockNumber, signal);
  } catch (error) {
    // Somebody else may have appealed, in a block that we have not seen yet.
    if (isRefusal(error)) await market.caughtUp((await latestBlock(chain)).number, signal);
    throw error;
  }
}

/** Each thing is said once for each panel. */
function teller({ context: { market, emit } }: Disputer, caseId: Hex32) {
  const told = new Set<string>();
  const keyOf = ({ round }: RoundView, what: string) => `${round} ${what}`;
  const say = (round: RoundView, what: string, message: string, { code }: { code: string }) => {
    if (told.has(keyOf(round, what))) return;
    told.add(keyOf(round, what));
    emit({ type: 'alert', level: 'warn', message, code });
  };
  const against = ({ size, ruling }: RoundView) => {
    const { taskId, step } = market.view.cases.get(caseId) ?? { taskId: caseId, step: 0 };
    const about = `step ${step} of task ${taskId}`;
    return `A panel of ${size} ${ruling === 'none' ? `is tied about ${about}` : `finds ${about} ${ruling}`}`;
  };
  return {
    hasTold: (round: RoundView, what: string) => told.has(keyOf(round, what)),
    appealed: ({ round, verdict, isFound, size, fee }: Appeal) => {
      const computed = isFound
        ? `made again it is ${verdict}`
        : `we computed that it is ${verdict}, which there was no time to do again`;
      const costs = `${formatTokens(fee)} PAN, which come back if it agrees`;
      say(round, 'appealed', `${against(round)}; ${computed}. Appealed to a panel of ${size}: ${costs}.`, {
        code: 'case.appealed',
      });
    },
    accepted: ({ round, why, fee, verdict }: Acceptance) => {
      const because = {
        wrong: `made again it is ${verdict}`,
        last_panel: 'it was the last one',
        too_dear: `the next one costs ${formatTokens(fee)} PAN, more than is allowed`,
        not_worth: `the next one costs ${formatTokens(fee)} PAN, more than this ruling does`,
        twice: 'it is the second one that could not have it',
      }[why];
      say(round, why, `${against(round)}, which is not appealed: ${because}.`, { code: 'case.not_appealed' });
    },
    /** Nothing is lost yet: it is tried again with each block. */
    failed: ({ round, fee }: Appeal, { message, code }: Error & { code?: string }) => {
      const rounds = market.view.cases.get(caseId)?.rounds.length;
      // Somebody else was faster, or the case is gone.
      if (rounds !== round.round) return;
      const until = new Date(1000 * (round.appealBy ?? 0)).toTimeString().slice(0, 8);
      const costs = `that costs ${formatTokens(fee)} PAN and can be tried until ${until}`;
      say(round, code ?? message, `${against(round)}, which is not appealed yet; ${costs}. ${message}`, {
        code: code ?? 'case.not_appealed',
      });
    },
  };
}

function taskOfCase(view: MarketView, caseId: Hex32): TaskView | undefined {
  const kase = view.cases.get(caseId);
  return kase && taskOf(view, kase.taskId);
}
