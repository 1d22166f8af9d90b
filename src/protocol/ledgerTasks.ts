/** What a task moves outside of its cases: contracts/TaskMarket.sol, market/TaskJudgement.sol, StepChallenge.sol, Audit.sol. */
import type { ChainFact } from './facts.js';
import type { Books, TaskState } from './ledgerBooks.js';
import type { Slash } from './ledgerCases.js';
import { account, burned, checked, demanded, escrow, type Move, staked } from './ledgerEntry.js';
import { settleConviction } from './settlement.js';
import type { Address } from './task.js';

export function movesOfTask(books: Books, task: TaskState, fact: ChainFact): Move[] {
  const { terms, buyer, price } = task;
  const fee = 'taskId' in fact ? (books.demands.get(fact.taskId)?.fee ?? 0n) : 0n;
  const refund: Move = { from: escrow, to: account(buyer), amount: price, reason: 'refund' };
  switch (fact.type) {
    case 'TaskAccepted':
      return [{ from: escrow, to: account(fact.solver), amount: price, reason: 'price' }];
    case 'TaskExpired':
      return fact.burned > 0n
        ? [{ from: escrow, to: burned, amount: fact.burned, reason: 'burn' }]
        : [refund];
    case 'TaskRejected':
    case 'TaskCancelled':
      return [refund];
    case 'CheckerDrawn':
      // A second checker is drawn for the fee of the first.
      return fact.attempt > 1
        ? []
        : [{ from: account(buyer), to: checked, amount: terms.verifierFee, reason: 'check' }];
    case 'CheckerReplaced':
      return [{ from: staked(fact.checker), to: burned, amount: fact.bond, reason: 'burn' }];
    case 'CheckClosed': {
      const to = account(fact.paid > 0n ? fact.checker : buyer);
      return [
        { from: checked, to, amount: terms.verifierFee, reason: 'check' },
        { from: staked(fact.checker), to: burned, amount: fact.lost, reason: 'burn' },
        ...(fact.outcome === 'silent' ? silence(task, fact.checker) : []),
      ];
    }
    case 'LeavesDemanded':
      return [{ from: account(fact.by), to: demanded, amount: fact.fee, reason: 'demand' }];
    case 'LeavesPublished':
      return [{ from: demanded, to: account(fact.by), amount: fee, reason: 'demand' }];
    case 'DemandClosed': {
      const by = books.demands.get(fact.taskId)?.by;
      if (by === undefined) return [];
      return [
        { from: demanded, to: account(by), amount: fee, reason: 'demand' },
        ...(fact.withheld ? silence(task, by) : []),
      ];
    }
    case 'TaskVoided': {
      // A case that finds the buyer's data missing ends the task while it is open, and takes the price: see `missingData`.
      const isInCourt = [...books.cases.values()].some((kase) => kase.isOpen && kase.taskId === fact.taskId);
      return isInCourt ? [] : [refund];
    }
    default:
      return [];
  }
}

/** The seat of a solver that would not show its leaves, or what they are made of: TaskJudgement.leavesWithheld, solverSilent. */
function silence({ terms, solver, buyer }: TaskState, asker: Address): Move[] {
  if (solver === null) return [];
  const from = staked(solver);
  const { toDisputer, toBuyer, burned: rest } = settleConviction(terms, 0n);
  return [
    { from, to: account(asker), amount: toDisputer, reason: 'bounty' },
    { from, to: account(buyer), amount: toBuyer, reason: 'compensation' },
    { from, to: burned, amount: rest, reason: 'burn' },
  ];
}

/** A solver that delivered nothing: TaskMarket._breakSeat. Only a conviction takes the whole seat, and its case tells where to:
 *  the share of an absence leaves something (ParamRules.sol, livenessBps). */
export function absence({ tasks }: Books, { account: solver, amount, caseId: taskId }: Slash): Move[] {
  const terms = tasks.get(taskId)?.terms;
  if (terms === undefined || amount === terms.solverStake) return [];
  const from = staked(solver);
  const rest = terms.solverStake - amount;
  return [
    { from, to: burned, amount, reason: 'penalty', taskId },
    { from, to: account(solver), amount: rest, reason: 'remainder', taskId },
  ];
}
