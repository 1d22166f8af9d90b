/** What a case moves: contracts/court/CasePayment.sol, market/TaskJudgement.sol and libraries/Settlement.sol. */
import type { ChainFact, Verdict } from './facts.js';
import type { Books, CaseState, TaskState } from './ledgerBooks.js';
import { account, burned, escrow, type Move, pot, staked } from './ledgerEntry.js';
import { isVoid } from './marketQueries.js';
import { partOf, settleConviction } from './settlement.js';
import type { Address } from './task.js';

export function movesOfCase(task: TaskState, kase: CaseState, fact: ChainFact): Move[] {
  const deposit = partOf(task.price, task.terms.delayBps);
  const depositTo = (owner: Address | null): Move[] =>
    owner === null ? [] : [{ from: pot, to: account(owner), amount: deposit, reason: 'delay' }];
  switch (fact.type) {
    case 'CaseOpened':
      return [{ from: account(kase.disputer), to: pot, amount: deposit, reason: 'delay' }];
    case 'RoundOpened':
      return [{ from: account(fact.payer), to: pot, amount: fact.fee, reason: 'fee', panel: fact.round }];
    case 'SeatClosed':
      return [{ from: pot, to: account(fact.voter), amount: fact.paid, reason: 'share', panel: fact.round }];
    case 'CaseSettled':
      return [
        ...(fact.verdict === 'invalid' ? conviction(task, kase) : []),
        ...(fact.verdict === 'unavailable' ? missingData(task, kase) : []),
        ...feesRepaid(kase, fact.verdict),
        ...depositTo(fact.verdict === 'valid' ? kase.solver : kase.disputer),
        { from: pot, to: burned, amount: fact.burned, reason: 'burn' },
      ];
    case 'CaseMoot':
      return [
        ...kase.panels.map(
          ({ payer, fee }, i): Move => ({
            ...{ from: pot, to: account(payer), amount: fee, reason: 'fee repaid', panel: i + 1 },
          }),
        ),
        ...depositTo(kase.disputer),
      ];
    default:
      return [];
  }
}

/** The seat of a solver whose result is wrong: Settlement.ofConviction. */
function conviction(task: TaskState, kase: CaseState): Move[] {
  const { terms, solver, buyer } = task;
  if (solver === null) return [];
  const from = staked(solver);
  const fee = kase.panels[0]?.fee ?? 0n;
  const { toDisputer, toBuyer, burned: rest } = settleConviction(terms, fee);
  return [
    { from, to: account(kase.disputer), amount: fee, reason: 'fee repaid', panel: 1 },
    { from, to: account(kase.disputer), amount: toDisputer - fee, reason: 'bounty' },
    { from, to: account(buyer), amount: toBuyer, reason: 'compensation' },
    { from, to: pot, amount: rest, reason: 'forfeit' },
  ];
}

/** The price pays for the panel that found nothing to check with: TaskJudgement._voidUnavailable. */
function missingData({ price }: TaskState, { disputer, panels }: CaseState): Move[] {
  const fee = panels[0]?.fee ?? 0n;
  const repaid = fee < price ? fee : price;
  return [
    { from: escrow, to: account(disputer), amount: repaid, reason: 'fee repaid', panel: 1 },
    { from: escrow, to: pot, amount: price - repaid, reason: 'forfeit' },
  ];
}

export type Slash = Extract<ChainFact, { type: 'SeatSlashed' }>;

/** Of a verifier: into the pot of its case. */
export function lostBond({ cases }: Books, { account: owner, amount, caseId }: Slash): Move[] {
  const taskId = cases.get(caseId)?.taskId;
  if (taskId === undefined) return [];
  return [{ from: staked(owner), to: pot, amount, reason: 'forfeit', taskId, caseId }];
}

/** A void panel's fee goes back to who paid it; a wrong panel, or a tied one, pays for the next: Court._settleRounds. */
function feesRepaid({ panels }: CaseState, verdict: Verdict | 'none'): Move[] {
  return panels.flatMap((panel, i): Move[] => {
    const repay = ({ payer, fee }: { payer: Address; fee: bigint }, number: number): Move => ({
      ...{ from: pot, to: account(payer), amount: fee, reason: 'fee repaid', panel: number },
    });
    if (isVoid(panel, verdict)) return [repay(panel, i + 1)];
    const next = panels[i + 1];
    return panel.ruling === verdict || next === undefined ? [] : [repay(next, i + 2)];
  });
}
