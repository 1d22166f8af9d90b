/** The money of a dispute, in token units. Twins: contracts/libraries/Escalation.sol, Settlement.sol.
 *  source: the paper's Figure 4 (3 verifiers for 30, 5 for 50); docs/protocol.md, money */
import type { Verdict } from './facts.js';
import { isVoid } from './marketQueries.js';
import type { CaseView } from './marketView.js';
import { partOf } from './settlement.js';
import type { Address } from './task.js';

/** The part of a subnet's parameters that disputes depend on. */
export interface DisputeTerms {
  solverStake: bigint;
  verifierFee: bigint;
  panelStart: number;
  panelStep: number;
  maxRounds: number;
  /** an appeal calls for 2n + 1 seats in place of n + panelStep */
  panelDoubles: boolean;
  /** size of one last panel after maxRounds; 0 for none */
  terminalPanel: number;
  /** of the stake, in basis points, to the disputer of a convicted solver */
  bountyBps: number;
  /** of the price, put down with a pin: it goes to the solver that a lost case has delayed */
  delayBps: number;
  /** of the price, held while a commitment to a dispute waits for its pin */
  commitBondBps: number;
}

/** The part of a subnet's parameters that decides amounts, in token units and basis points. */
export interface MarketTerms extends DisputeTerms {
  /** of one seat in a panel */
  seatBond: bigint;
  /** of the stake of a convicted solver, to the buyer */
  buyerBps: number;
  /** of the stake of a solver that delivered nothing, burned */
  livenessBps: number;
}

/** What the sizes of panels follow from. */
export type PanelTerms = Pick<
  DisputeTerms,
  'panelStart' | 'panelStep' | 'maxRounds' | 'panelDoubles' | 'terminalPanel'
>;

/** Verifiers in dispute round `round` (from 1 to `lastRound`): 3, 5, 7, ...; or 3, 7, 15, ... where panels double. */
export function panelSize(terms: PanelTerms, round: number): number {
  if (round > terms.maxRounds) return terms.terminalPanel;
  if (terms.panelDoubles) return (terms.panelStart + 1) * 2 ** (round - 1) - 1;
  return terms.panelStart + terms.panelStep * (round - 1);
}

/** The round whose ruling nobody can appeal. */
export function lastRound(terms: PanelTerms): number {
  return terms.terminalPanel > 0 ? terms.maxRounds + 1 : terms.maxRounds;
}

/** The verdict with the most votes, if more than half of the panel voted and no other has as many. */
export function rulingOf(size: number, votes: Readonly<Record<Verdict, number>>): Verdict | 'none' {
  const [first, second] = Object.entries(votes).sort(([, a], [, b]) => b - a) as [Verdict, number][];
  const voted = Object.values(votes).reduce((sum, count) => sum + count, 0);
  if (first === undefined || 2 * voted <= size || first[1] === second?.[1]) return 'none';
  return first[0];
}

/** What opening this round costs. */
export function roundFee(terms: DisputeTerms, round: number): bigint {
  return BigInt(panelSize(terms, round)) * terms.verifierFee;
}

/** What a dispute costs before any ruling.
 *  bond: put down with the commitment; due: paid by the pin, of which the bond is a part already; deposit: for the delay */
export function pinCost(terms: DisputeTerms, price: bigint): { bond: bigint; due: bigint; deposit: bigint } {
  const bond = partOf(price, terms.commitBondBps);
  const deposit = partOf(price, terms.delayBps);
  const rest = roundFee(terms, 1) + deposit - bond;
  return { bond, due: rest > 0n ? rest : 0n, deposit };
}

/** What `account` paid into a settled case as disputer or appellant, and what it got out of the settlement.
 *  Earnings of its seats in panels are not counted.  price: of the task */
export function disputeBalance(
  terms: DisputeTerms,
  kase: CaseView,
  { account, price }: { account: Address; price: bigint },
): { paid: bigint; received: bigint } {
  let paid = 0n;
  let received = 0n;
  for (const [i, round] of kase.rounds.entries()) {
    if (round.payer !== account) continue;
    paid += round.fee;
    // An appeal is repaid by the panel it corrected, or that was tied; a void panel by nobody: its fee was not spent.
    const corrected = i > 0 && kase.rounds[i - 1]?.ruling !== kase.verdict;
    if (kase.moot || isVoid(round, kase.verdict) || corrected) received += round.fee;
  }
  if (kase.disputer !== account) return { paid, received };
  const { deposit } = pinCost(terms, price);
  paid += deposit;
  if (kase.verdict !== 'valid') received += deposit;
  const first = kase.rounds[0];
  if (first !== undefined && !kase.moot) {
    if (kase.verdict === 'invalid') received += first.fee + partOf(terms.solverStake, terms.bountyBps);
    if (kase.verdict === 'unavailable') received += refundOfUnavailable(first.fee, price);
  }
  return { paid, received };
}

/** What a ruling of Unavailable takes from either side that another one would have given it. */
export function costOfUnavailable(
  terms: DisputeTerms,
  kase: CaseView,
  price: bigint,
): { solver: bigint; disputer: bigint } {
  const fee = kase.rounds[0]?.fee ?? 0n;
  const bounty = partOf(terms.solverStake, terms.bountyBps);
  return { solver: price, disputer: fee - refundOfUnavailable(fee, price) + bounty };
}

/** Of the fee of the first panel, out of the price. */
function refundOfUnavailable(fee: bigint, price: bigint): bigint {
  return fee < price ? fee : price;
}

/** Whole seats that an amount pays for; the rest stays where it is. */
export function wholeSeats(amount: bigint, seatPrice: bigint): bigint {
  return amount / seatPrice;
}

/** Seats beyond which no account can stake as solver and as verifier, whatever it pays: all seats of a role are one sum of 27 bits, and
 *  the bonds of a position are a uint32.  source: contracts/libraries/SortitionTree.sol, IStaking.sol */
export function mostSeats({ exposure }: { exposure: number }): bigint {
  const [sum, bonds] = [2n ** 27n - 1n, (2n ** 32n - 1n) / BigInt(exposure)];
  return sum < bonds ? sum : bonds;
}
