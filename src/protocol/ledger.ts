/** Every movement of tokens in the vault, replayed from what happened on chain. The contracts move most of it without an event,
 *  so this is a twin: contracts/Vault.sol under Staking, TaskMarket, Court and libraries/Settlement.sol. */
import type { ChainFact } from './facts.js';
import { type Books, emptyBooks, idsIn, learn, type TermsByVersion } from './ledgerBooks.js';
import { lostBond, movesOfCase } from './ledgerCases.js';
import {
  account,
  bonded,
  burned,
  type Entry,
  escrow,
  type Move,
  outside,
  type Place,
  pot,
  staked,
} from './ledgerEntry.js';
import { absence, movesOfTask } from './ledgerTasks.js';
import { commitmentKey } from './marketView.js';

/** Whether `ledgerOf` can follow these facts: it knows the terms that every task was posted under. */
export function areTermsTold(facts: readonly ChainFact[], versions: TermsByVersion): boolean {
  return facts.every((fact) => fact.type !== 'BatchCreated' || versions.has(fact.paramsVersion));
}

/** In the order of the facts; versions: of the subnet's parameters, as tasks are pinned to them. Facts of tasks whose batch is not among them (another subnet's) move nothing here.
 *  throws Error for a version that is not among them */
export function ledgerOf(facts: readonly ChainFact[], versions: TermsByVersion): Entry[] {
  const books = emptyBooks(versions);
  return facts.flatMap((fact) => {
    learn(books, fact);
    return movesOf(books, fact)
      .filter(({ amount }) => amount > 0n)
      .map((move) => ({ taskId: null, caseId: null, panel: null, ...move, fact }));
  });
}

export function placeKey({ pocket, owner }: Place): string {
  return `${pocket}/${owner ?? ''}`;
}

/** What lies where after all entries, by `placeKey`. `outside` counts down from 0, so that all of it sums to zero. */
export function balancesOf(entries: readonly Entry[]): Map<string, bigint> {
  const balances = new Map<string, bigint>();
  const add = (place: Place, amount: bigint) =>
    balances.set(placeKey(place), (balances.get(placeKey(place)) ?? 0n) + amount);
  for (const { from, to, amount } of entries) {
    add(from, -amount);
    add(to, amount);
  }
  return balances;
}

function movesOf(books: Books, fact: ChainFact): Move[] {
  switch (fact.type) {
    case 'Deposited':
      return [{ from: outside, to: account(fact.account), amount: fact.amount, reason: 'deposit' }];
    case 'Withdrawn':
      return [{ from: account(fact.account), to: outside, amount: fact.amount, reason: 'withdrawal' }];
    case 'SubnetCreated':
      return [
        { from: account(fact.owner), to: bonded(fact.owner), amount: fact.bond, reason: 'subnet bond' },
      ];
    case 'BondReturned':
      return [
        { from: bonded(fact.owner), to: account(fact.owner), amount: fact.bond, reason: 'subnet bond' },
      ];
    case 'SeatsStaked':
      return [
        { from: account(fact.account), to: staked(fact.account), amount: fact.amount, reason: 'stake' },
      ];
    case 'StakeWithdrawn':
      return [
        { from: staked(fact.account), to: account(fact.account), amount: fact.amount, reason: 'unstake' },
      ];
    case 'BatchCreated':
      return fact.taskIds.map((taskId) => ({
        ...{ from: account(fact.buyer), to: escrow, amount: fact.price, reason: 'escrow', taskId },
      }));
    case 'DisputeCommitted':
      return [{ from: account(fact.disputer), to: pot, amount: fact.bond, reason: 'commitment' }];
    case 'CommitmentDropped':
      return [{ from: pot, to: burned, amount: fact.bond, reason: 'burn' }];
    case 'CommitmentOpened': {
      const { caseId } = fact;
      const kase = books.cases.get(caseId);
      if (kase === undefined) return [];
      const { disputer, taskId } = kase;
      const amount = books.commitments.get(commitmentKey(disputer, fact.commitment))?.bond ?? 0n;
      return [{ from: pot, to: account(disputer), amount, reason: 'commitment', taskId, caseId }];
    }
    case 'SeatSlashed':
      return fact.role === 'solver' ? absence(books, fact) : lostBond(books, fact);
    default: {
      const ids = idsIn(books, fact);
      const task = ids === null ? undefined : books.tasks.get(ids.taskId);
      if (ids === null || task === undefined) return [];
      const kase = ids.caseId === null ? undefined : books.cases.get(ids.caseId);
      const moves = kase === undefined ? movesOfTask(books, task, fact) : movesOfCase(task, kase, fact);
      return moves.map((move) => ({ ...ids, ...move }));
    }
  }
}
