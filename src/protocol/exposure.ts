/** What an account's stake still has to answer for: the bonds that were drawn and are not given back. Pure.
 *  Twin: `locked` in contracts/Staking.sol */
import type { Role } from './facts.js';
import { isTerminal } from './marketQueries.js';
import type { CheckPhase, MarketView, RoundPhase, TaskState } from './marketView.js';
import type { Address, Hex32 } from './task.js';

/** One bond. */
export interface Hold {
  role: Role;
  /** task: drawn to solve it.  seat: in a panel.  check: drawn to look at a submission */
  what: 'task' | 'seat' | 'check';
  taskId: Hex32;
  state: TaskState | RoundPhase | CheckPhase;
  /** unix seconds: the end of the phase that it is in, which others may follow; null where the chain does not say */
  until: number | null;
}

/** Of a bond whose seat lost it, or was replaced, the chain says so in a later fact: until then it counts here. */
export function holdsOf(view: MarketView, account: Address): Hold[] {
  return [...solving(view, account), ...judging(view, account), ...checking(view, account)];
}

function solving({ tasks }: MarketView, account: Address): Hold[] {
  return [...tasks.values()]
    .filter(({ solver, state }) => solver === account && !isTerminal(state))
    .map(({ taskId, state, solveBy, challengeBy }) => ({
      ...({ role: 'solver', what: 'task', taskId, state } as const),
      until: state === 'assigned' ? solveBy : challengeBy,
    }));
}

/** A seat is closed, and its bond given back, when its case is settled. */
function judging({ cases }: MarketView, account: Address): Hold[] {
  return [...cases.values()].flatMap(({ taskId, rounds }) =>
    rounds.flatMap(({ seats, phase, commitBy, revealBy, appealBy }) => {
      const until = { drawing: null, commit: commitBy, reveal: revealBy, ruled: appealBy }[phase];
      return seats
        .filter(({ voter, closed }) => voter === account && !closed)
        .map((): Hold => ({ role: 'verifier', what: 'seat', taskId, state: phase, until }));
    }),
  );
}

function checking({ checks }: MarketView, account: Address): Hold[] {
  return [...checks.values()]
    .filter(({ checker, phase }) => checker === account && phase !== 'over' && phase !== 'drawing')
    .map(({ taskId, phase, deadline }) => ({
      ...{ role: 'verifier', what: 'check', taskId, state: phase, until: deadline },
    }));
}
