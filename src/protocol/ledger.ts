/** Every movement of tokens in the vault, replayed from what happened on chain. The contracts move most of it without an event,
 *  so this is a twin: contracts/Vault.sol under Staking, TaskMarket, Court and libraries/Settlement.sol. */
import type { DisputeTerms } from './economics.js';
import type { ChainFact, Verdict } from './facts.js';
import { commitmentKey } from './marketView.js';
import { partOf, settleConviction } from './settlement.js';
import type { Address, Hex32 } from './task.js';

/** The part of a subnet's parameters that decides amounts, in token units and basis points. */
export interface MarketTerms extends DisputeTerms {
  /** of one seat in a panel */
  seatBond: bigint;
  /** of the stake of a convicted solver, to the buyer */
  buyerBps: number;
  /** of the stake of a solver that delivered nothing, burned */
  livenessBps: number;
}

/** `outside`: the token beyond the vault. `account`: what its owner can withdraw. The rest are accounts of the contracts. */
export type Pocket =
  | 'outside'
  | 'account'
  | 'staking'
  | 'market'
  | 'court'
  | 'challenge'
  | 'audit'
  | 'registry'
  | 'burned';

export interface Place {
  pocket: Pocket;
  /** whose tokens these are while they lie there: a stake is its owner's until it is lost, whatever it is locked for. null:
   *  nobody's before the case or the task ends */
  owner: Address | null;
}

/** Why tokens moved.
 *  deposit, withdrawal      into the vault, out of it
 *  subnet bond              put down for a subnet, given back after it was closed
 *  stake, unstake           into seats, out of seats
 *  escrow, price, refund    the price of a task: put down by the buyer, paid to the solver, given back to the buyer
 *  check                    fee of a drawn check: put down by the buyer, paid to the checker, or given back
 *  fee, fee repaid          of a panel: put down by who called it, given back to who was right to call it, or in vain
 *  commitment               bond of a commitment to a dispute: put down, given back by the pin
 *  delay                    deposit of a pin: put down, paid to the solver that a lost case has delayed, or given back
 *  demand                   fee for leaves that nobody serves: put down, paid to whoever shows them, or given back
 *  share                    of a seat in a panel that ruled as the case ended
 *  bounty, compensation     out of a convicted solver's stake, to whoever disputed or demanded its leaves, and to the buyer
 *  penalty                  of a solver that delivered nothing, burned
 *  remainder                what such a solver keeps of its seat
 *  forfeit                  a lost bond of a panel, or the price of a task that could not be checked, into the pot of the case
 *  burn                     what nobody gets: also the bond of a checker that was absent or wrong */
export type Reason =
  | 'deposit'
  | 'withdrawal'
  | 'subnet bond'
  | 'stake'
  | 'unstake'
  | 'escrow'
  | 'price'
  | 'refund'
  | 'check'
  | 'fee'
  | 'fee repaid'
  | 'commitment'
  | 'delay'
  | 'demand'
  | 'share'
  | 'bounty'
  | 'compensation'
  | 'penalty'
  | 'remainder'
  | 'forfeit'
  | 'burn';

export interface Entry {
  from: Place;
  to: Place;
  /** token units, above 0 */
  amount: bigint;
  reason: Reason;
  taskId: Hex32 | null;
  caseId: Hex32 | null;
  /** panel of the case, from 1; null where it is not about one */
  panel: number | null;
  /** what made it happen */
  fact: ChainFact;
}

interface TaskState {
  buyer: Address;
  price: bigint;
  solver: Address | null;
}

interface CaseState {
  taskId: Hex32;
  solver: Address | null;
  disputer: Address;
  panels: { payer: Address; fee: bigint; ruling: Verdict | 'none' | null }[];
  isOpen: boolean;
}

interface Books {
  tasks: Map<Hex32, TaskState>;
  cases: Map<Hex32, CaseState>;
  /** by `commitmentKey` */
  commitments: Map<string, { bond: bigint }>;
  /** by task */
  demands: Map<Hex32, { by: Address; fee: bigint }>;
}

/** In the order of the facts. Facts of tasks whose batch is not among them (another subnet's) move nothing here. */
export function ledgerOf(facts: readonly ChainFact[], terms: MarketTerms): Entry[] {
  const books: Books = {
    ...{ tasks: new Map(), cases: new Map() },
    ...{ commitments: new Map(), demands: new Map() },
  };
  return facts.flatMap((fact) => {
    learn(books, fact);
    return movesOf(books, fact, terms)
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

function learn({ tasks, cases, commitments, demands }: Books, fact: ChainFact): void {
  if (fact.type === 'DisputeCommitted') commitments.set(commitmentKey(fact.disputer, fact.commitment), fact);
  if (fact.type === 'LeavesDemanded') demands.set(fact.taskId, fact);
  if (fact.type === 'BatchCreated') {
    const { buyer, price } = fact;
    for (const taskId of fact.taskIds) tasks.set(taskId, { buyer, price, solver: null });
  }
  if (fact.type === 'CaseOpened' && tasks.has(fact.taskId)) {
    const { caseId, taskId, disputer } = fact;
    const solver = tasks.get(taskId)?.solver ?? null;
    cases.set(caseId, { taskId, solver, disputer, panels: [], isOpen: true });
  }
  if (fact.type === 'TaskAssigned') {
    const task = tasks.get(fact.taskId);
    if (task !== undefined) task.solver = fact.solver;
  }
  const kase = 'caseId' in fact ? cases.get(fact.caseId) : undefined;
  if (kase === undefined) return;
  if (fact.type === 'RoundOpened') kase.panels.push({ payer: fact.payer, fee: fact.fee, ruling: null });
  if (fact.type === 'CaseSettled' || fact.type === 'CaseMoot') kase.isOpen = false;
  if (fact.type === 'RoundRuled') {
    const panel = kase.panels[fact.round - 1];
    if (panel !== undefined) panel.ruling = fact.verdict;
  }
}

type Move = Pick<Entry, 'from' | 'to' | 'amount' | 'reason'> &
  Partial<Pick<Entry, 'taskId' | 'caseId' | 'panel'>>;

function movesOf(books: Books, fact: ChainFact, terms: MarketTerms): Move[] {
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
      return fact.role === 'solver' ? absence(books, fact, terms) : lostBond(books, fact);
    default: {
      const ids = idsIn(books, fact);
      const task = ids === null ? undefined : books.tasks.get(ids.taskId);
      if (ids === null || task === undefined) return [];
      const kase = ids.caseId === null ? undefined : books.cases.get(ids.caseId);
      const moves =
        kase === undefined ? movesOfTask(books, task, fact, terms) : movesOfCase(task, kase, fact, terms);
      return moves.map((move) => ({ ...ids, ...move }));
    }
  }
}

function idsIn({ tasks, cases }: Books, fact: ChainFact): { taskId: Hex32; caseId: Hex32 | null } | null {
  if ('caseId' in fact) {
    const taskId = cases.get(fact.caseId)?.taskId;
    return taskId === undefined ? null : { taskId, caseId: fact.caseId };
  }
  return 'taskId' in fact && tasks.has(fact.taskId) ? { taskId: fact.taskId, caseId: null } : null;
}

function movesOfTask(books: Books, task: TaskState, fact: ChainFact, terms: MarketTerms): Move[] {
  const { buyer, price } = task;
  const fee = 'taskId' in fact ? (books.demands.get(fact.taskId)?.fee ?? 0n) : 0n;
  const refund: Move = { from: escrow, to: account(buyer), amount: price, reason: 'refund' };
  switch (fact.type) {
    case 'TaskAccepted':
      return [{ from: escrow, to: account(fact.solver), amount: price, reason: 'price' }];
    case 'TaskRejected':
    case 'TaskExpired':
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
        ...(fact.outcome === 'silent' ? silence(task, fact.checker, terms) : []),
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
        ...(fact.withheld ? silence(task, by, terms) : []),
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

function movesOfCase(task: TaskState, kase: CaseState, fact: ChainFact, terms: MarketTerms): Move[] {
  const deposit = partOf(task.price, terms.delayBps);
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
        ...(fact.verdict === 'invalid' ? conviction(task, kase, terms) : []),
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
function conviction(task: TaskState, kase: CaseState, terms: MarketTerms): Move[] {
  const { solver, buyer } = task;
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

/** The seat of a solver that would not show its leaves, or what they are made of: TaskMarket.leavesWithheld, solverSilent. */
function silence({ solver, buyer }: TaskState, asker: Address, terms: MarketTerms): Move[] {
  if (solver === null) return [];
  const from = staked(solver);
  const { toDisputer, toBuyer, burned: rest } = settleConviction(terms, 0n);
  return [
    { from, to: account(asker), amount: toDisputer, reason: 'bounty' },
    { from, to: account(buyer), amount: toBuyer, reason: 'compensation' },
    { from, to: burned, amount: rest, reason: 'burn' },
  ];
}

/** The price pays for the panel that found nothing to check with: TaskMarket._voidUnavailable. */
function missingData({ price }: TaskState, { disputer, panels }: CaseState): Move[] {
  const fee = panels[0]?.fee ?? 0n;
  const repaid = fee < price ? fee : price;
  return [
    { from: escrow, to: account(disputer), amount: repaid, reason: 'fee repaid', panel: 1 },
    { from: escrow, to: pot, amount: price - repaid, reason: 'forfeit' },
  ];
}

type Slash = Extract<ChainFact, { type: 'SeatSlashed' }>;

/** A solver that delivered nothing: TaskMarket._breakSeat. Only a conviction takes the whole seat, and its case tells where to:
 *  the share of an absence leaves something (ParamRules.sol, livenessBps). */
function absence(
  { tasks }: Books,
  { account: solver, amount, caseId: taskId }: Slash,
  terms: MarketTerms,
): Move[] {
  if (!tasks.has(taskId) || amount === terms.solverStake) return [];
  const from = staked(solver);
  const rest = terms.solverStake - amount;
  return [
    { from, to: burned, amount, reason: 'penalty', taskId },
    { from, to: account(solver), amount: rest, reason: 'remainder', taskId },
  ];
}

function lostBond({ cases }: Books, { account: owner, amount, caseId }: Slash): Move[] {
  const taskId = cases.get(caseId)?.taskId;
  if (taskId === undefined) return [];
  return [{ from: staked(owner), to: pot, amount, reason: 'forfeit', taskId, caseId }];
}

/** A void panel's fee goes back to who paid it; a wrong panel pays for the next one: Court._settleRound. */
function feesRepaid({ panels }: CaseState, verdict: Verdict | 'none'): Move[] {
  return panels.flatMap((panel, i): Move[] => {
    const repay = ({ payer, fee }: { payer: Address; fee: bigint }, number: number): Move => ({
      ...{ from: pot, to: account(payer), amount: fee, reason: 'fee repaid', panel: number },
    });
    if (panel.ruling === 'none') return [repay(panel, i + 1)];
    const next = panels[i + 1];
    return panel.ruling === verdict || next === undefined ? [] : [repay(next, i + 2)];
  });
}

const outside: Place = { pocket: 'outside', owner: null };
const escrow: Place = { pocket: 'market', owner: null };
const pot: Place = { pocket: 'court', owner: null };
const demanded: Place = { pocket: 'challenge', owner: null };
const checked: Place = { pocket: 'audit', owner: null };
const burned: Place = { pocket: 'burned', owner: null };

function account(owner: Address): Place {
  return { pocket: 'account', owner };
}

function bonded(owner: Address): Place {
  return { pocket: 'registry', owner };
}

function staked(owner: Address): Place {
  return { pocket: 'staking', owner };
}
