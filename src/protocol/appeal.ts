/** Whether a ruling is appealed: the one decision of a solver that is ruled against and of a disputer that is not believed.
 *  Decides only; roles/appeals.ts acts. */
import { costOfUnavailable, type DisputeTerms, panelSize, roundFee } from './economics.js';
import type { Verdict } from './facts.js';
import { currentRound, isTerminal, taskOf } from './marketQueries.js';
import type { CaseView, MarketView, RoundView } from './marketView.js';
import type { Hex32 } from './task.js';

/** What a side of a case has computed about its step before: the solver, that it is right; whoever disputes it, that it is not. */
export type Claim = 'valid' | 'invalid';

export interface Stand {
  claim: Claim;
  /** what the step gives when it is made again from what everybody can fetch, and the round it was made for; null before that */
  found: { verdict: Verdict; round: number } | null;
  /** largest fee of a panel that is paid, token units; default: whatever the rules ask */
  maxFee?: bigint;
}

export interface AppealTerms extends DisputeTerms {
  /** the time to appeal */
  appealSeconds: number;
}

export type CaseMove =
  | { move: 'settled'; kase: CaseView }
  /** the step is to be made again, before any money is spent */
  | { move: 'look'; round: number }
  | Appeal
  | Acceptance;

export interface Appeal {
  move: 'appeal';
  /** whose ruling it is against */
  round: RoundView;
  /** what the step gives; `isFound`: made again, or as it was before the case */
  verdict: Verdict;
  isFound: boolean;
  /** of the next panel, in token units and seats */
  fee: bigint;
  size: number;
}

/** What stands against us is left as it is. */
export interface Acceptance {
  move: 'accept';
  round: RoundView;
  /** not_worth: the next panel costs more than the ruling; twice: a second panel could not have the step either */
  why: 'wrong' | 'last_panel' | 'too_dear' | 'not_worth' | 'twice';
  /** of the next panel */
  fee: bigint;
  /** what the step gives, as far as we know */
  verdict: Verdict;
}

/** What is to be done in the case; undefined while others move, and when it is moot: its task has ended, and fees go back.
 *  Follows from what the chain shows alone, so it is the same after a restart, and an appeal that is taken back is due again.
 *  now: unix seconds of the chain */
export function caseMove(
  view: MarketView,
  now: number,
  caseId: Hex32,
  stand: Stand,
  terms: AppealTerms,
): CaseMove | undefined {
  const kase = view.cases.get(caseId);
  const round = kase && currentRound(kase);
  if (kase === undefined || round === undefined) return undefined;
  if (kase.settled) return { move: 'settled', kase };
  const { state, price } = taskOf(view, kase.taskId);
  if (isTerminal(state) || !isAgainst(stand.claim, round)) return undefined;
  if (round.phase !== 'ruled') return stand.found === null ? { move: 'look', round: round.round } : undefined;
  return afterRuling({ kase, round, price }, now, stand, terms);
}

interface Ruled {
  kase: CaseView;
  round: RoundView;
  /** of the task */
  price: bigint;
}

function afterRuling(
  { kase, round, price }: Ruled,
  now: number,
  stand: Stand,
  terms: AppealTerms,
): CaseMove | undefined {
  const { claim, found, maxFee } = stand;
  const { appealBy, ruling } = round;
  const next = { fee: roundFee(terms, round.round + 1), size: panelSize(terms, round.round + 1) };
  const accept = (why: Acceptance['why']): CaseMove => ({
    ...{ move: 'accept', round, why, fee: next.fee, verdict: found?.verdict ?? claim },
  });
  if (appealBy === null || ruling === null) return undefined;
  // A panel that came to nothing can not be appealed either, and is no ruling.
  if (appealBy === 0) return ruling === 'none' ? undefined : accept('last_panel');
  if (now > appealBy) return undefined;
  if (ruling === 'unavailable') {
    // A buyer that serves us what it hides from panels would have us pay for each of them, and no panel pays that back.
    if (kase.rounds.filter((one) => one.ruling === ruling).length > 1) return accept('twice');
    const { solver, disputer } = costOfUnavailable(terms, kase, price);
    if (next.fee > (claim === 'valid' ? solver : disputer)) return accept('not_worth');
  }
  // What could be fetched for an earlier panel may be gone since.
  const isFound = found !== null && (ruling !== 'unavailable' || found.round === round.round);
  // Whoever has us judged may also keep us from looking in time, so the first half of the window is for that. Then what we have computed
  // before is as good as what we know; not that others can compute it, nor against a panel that was called to hear just that.
  const isLate =
    now > appealBy - Math.floor(terms.appealSeconds / 2) && ruling !== 'unavailable' && round.round === 1;
  if (!isFound && !isLate) return { move: 'look', round: round.round };
  const verdict = isFound ? found.verdict : claim;
  if (!isBetter(claim, verdict, ruling)) return accept('wrong');
  if (next.fee > (maxFee ?? next.fee)) return accept('too_dear');
  return { move: 'appeal', round, verdict, isFound, ...next };
}

/** Already by its first vote, so that there is time to look. */
function isAgainst(claim: Claim, { ruling, seats }: RoundView): boolean {
  if (ruling !== null) return ruling !== claim;
  return seats.some(({ verdict }) => verdict !== null && verdict !== claim);
}

/** For a solver valid is better than unavailable, which voids its task and leaves it the seat, and that is better than invalid; for whoever
 *  disputes it the other way round. A tie convicts nobody and pays nobody. */
const goodForSolver: Record<Verdict | 'none', number> = { invalid: 0, unavailable: 1, none: 1, valid: 2 };

function isBetter(claim: Claim, verdict: Verdict, ruling: Verdict | 'none'): boolean {
  const gain = goodForSolver[verdict] - goodForSolver[ruling];
  return claim === 'valid' ? gain > 0 : gain < 0;
}
