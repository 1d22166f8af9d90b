/** Every movement of tokens in the vault, replayed from what happened on chain. The contracts move most of it without an event,
 *  so this is a twin: contracts/Vault.sol under Staking, TaskMarket, Court and libraries/Settlement.sol. */
import type { DisputeTerms } from './economics.js';
import type { ChainFact, Verdict } from './facts.js';
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
export type Pocket = 'outside' | 'account' | 'staking' | 'market' | 'court' | 'burned';

export interface Place {
  pocket: Pocket;
  /** whose tokens these are while they lie there: a bond in the court is its verifier's until it is lost. null: nobody's
   *  before the case or the task ends */
  owner: Address | null;
}

/** Why tokens moved.
 *  deposit, withdrawal      into the vault, out of it
 *  stake, unstake           into seats, out of seats
 *  bond, release            a seat is tied to a task or to a case; it comes back whole
 *  escrow, price, refund    the price of a task: put down by the buyer, paid to the solver, given back to the buyer
 *  fee, fee repaid          of a panel: put down by who called it, given back to who was right to call it
 *  share                    of a seat in a panel that ruled as the case ended
 *  bounty, compensation     out of a convicted solver's stake, to the disputer and to the buyer
 *  penalty                  of a solver that delivered nothing, burned
 *  remainder                what such a solver keeps of its seat
 *  forfeit                  a lost bond, into the pot of the case
 *  burn                     what nobody gets */
export type Reason =
  | 'deposit'
  | 'withdrawal'
  | 'stake'
  | 'unstake'
  | 'bond'
  | 'release'
  | 'escrow'
  | 'price'
  | 'refund'
  | 'fee'
  | 'fee repaid'
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
  /** also the id of the case */
  taskId: Hex32 | null;
  /** panel of the case, from 1; null where it is not about one */
  panel: number | null;
  /** what made it happen */
  fact: ChainFact;
}

interface TaskState {
  buyer: Address;
  price: bigint;
  solver: Address | null;
  disputer: Address | null;
  panels: { payer: Address; fee: bigint; ruling: Verdict | 'none' | null }[];
}

/** In the order of the facts. Facts of tasks whose batch is not among them (another subnet's) move nothing here. */
export function ledgerOf(facts: readonly ChainFact[], terms: MarketTerms): Entry[] {
  const tasks = new Map<Hex32, TaskState>();
  return facts.flatMap((fact) => {
    learn(tasks, fact);
    return movesOf(tasks, fact, terms)
      .filter(({ amount }) => amount > 0n)
      .map((move) => ({ taskId: null, panel: null, ...move, fact }));
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

function learn(tasks: Map<Hex32, TaskState>, fact: ChainFact): void {
  if (fact.type === 'BatchCreated') {
    const { buyer, price } = fact;
    for (const taskId of fact.taskIds) {
      tasks.set(taskId, { buyer, price, solver: null, disputer: null, panels: [] });
    }
    return;
  }
  const task = tasks.get('taskId' in fact ? fact.taskId : 'caseId' in fact ? fact.caseId : '0x');
  if (task === undefined) return;
  if (fact.type === 'TaskAssigned') task.solver = fact.solver;
  if (fact.type === 'TaskDisputed') task.disputer = fact.disputer;
  if (fact.type === 'RoundOpened') task.panels.push({ payer: fact.payer, fee: fact.fee, ruling: null });
  if (fact.type === 'RoundRuled') {
    const panel = task.panels[fact.round - 1];
    if (panel !== undefined) panel.ruling = fact.verdict;
  }
}

type Move = Pick<Entry, 'from' | 'to' | 'amount' | 'reason'> & Partial<Pick<Entry, 'taskId' | 'panel'>>;

function movesOf(tasks: ReadonlyMap<Hex32, TaskState>, fact: ChainFact, terms: MarketTerms): Move[] {
  switch (fact.type) {
    case 'Deposited':
      return [{ from: outside, to: account(fact.account), amount: fact.amount, reason: 'deposit' }];
    case 'Withdrawn':
      return [{ from: account(fact.account), to: outside, amount: fact.amount, reason: 'withdrawal' }];
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
    case 'SeatSlashed':
      return fact.role === 'verifier'
        ? [{ ...forfeited(fact.account, fact.amount), taskId: fact.caseId }]
        : slashedSolver(fact, tasks.get(fact.caseId), terms);
    default: {
      const taskId = 'taskId' in fact ? fact.taskId : 'caseId' in fact ? fact.caseId : null;
      const task = taskId === null ? undefined : tasks.get(taskId);
      if (taskId === null || task === undefined) return [];
      return movesOfTask(task, fact, terms).map((move) => ({ taskId, ...move }));
    }
  }
}

function movesOfTask(task: TaskState, fact: ChainFact, terms: MarketTerms): Move[] {
  const { buyer, price, solver } = task;
  const refund: Move = { from: escrow, to: account(buyer), amount: price, reason: 'refund' };
  const release = (owner: Address, pocket: Pocket, amount: bigint): Move => ({
    ...{ from: { pocket, owner }, to: staked(owner), amount, reason: 'release' },
  });
  switch (fact.type) {
    case 'TaskAssigned':
      return [
        {
          from: staked(fact.solver),
          to: { pocket: 'market', owner: fact.solver },
          amount: terms.solverStake,
          reason: 'bond',
        },
      ];
    case 'TaskAccepted':
      return [
        release(fact.solver, 'market', terms.solverStake),
        { from: escrow, to: account(fact.solver), amount: price, reason: 'price' },
      ];
    case 'TaskVoided':
      return solver === null ? [] : [release(solver, 'market', terms.solverStake), refund];
    case 'TaskRejected':
    case 'TaskExpired':
    case 'TaskCancelled':
      return [refund];
    case 'RoundOpened':
      return [{ from: account(fact.payer), to: pot, amount: fact.fee, reason: 'fee', panel: fact.round }];
    case 'SeatDrawn':
      return [
        {
          ...{ from: staked(fact.voter), to: { pocket: 'court', owner: fact.voter } },
          ...{ amount: terms.seatBond, reason: 'bond', panel: fact.round },
        },
      ];
    case 'SeatClosed':
      return [
        ...(fact.slashed === 0n
          ? [{ ...release(fact.voter, 'court', terms.seatBond), panel: fact.round }]
          : []),
        { from: pot, to: account(fact.voter), amount: fact.paid, reason: 'share', panel: fact.round },
      ];
    case 'CaseSettled':
      return [
        ...feesRepaid(task, fact.verdict),
        { from: pot, to: burned, amount: fact.burned, reason: 'burn' },
      ];
    default:
      return [];
  }
}

/** The seat of a solver leaves the market, which held it: Settlement.ofConviction and ofAbsence. */
function slashedSolver(
  { account: solver, amount, caseId: taskId }: Extract<ChainFact, { type: 'SeatSlashed' }>,
  task: TaskState | undefined,
  terms: MarketTerms,
): Move[] {
  if (task === undefined) return [];
  const from: Place = { pocket: 'market', owner: solver };
  const firstFee = task.panels[0]?.fee ?? 0n;
  const stake = terms.solverStake;
  // Only a conviction takes the whole seat: the shares of an absence leave something (ParamRules.sol, livenessBps).
  if (amount === stake && task.disputer !== null) {
    const bounty = partOf(stake, terms.bountyBps);
    const compensation = partOf(stake, terms.buyerBps);
    return [
      { from, to: account(task.disputer), amount: firstFee, reason: 'fee repaid', taskId, panel: 1 },
      { from, to: account(task.disputer), amount: bounty, reason: 'bounty', taskId },
      { from, to: account(task.buyer), amount: compensation, reason: 'compensation', taskId },
      { from, to: pot, amount: stake - firstFee - bounty - compensation, reason: 'forfeit', taskId },
    ];
  }
  const penalty = partOf(stake, terms.livenessBps);
  const remainder: Move = { from, to: account(solver), amount: stake - amount, reason: 'remainder', taskId };
  if (task.disputer === null)
    return [{ from, to: burned, amount: penalty, reason: 'penalty', taskId }, remainder];
  return [
    { from, to: account(task.disputer), amount: firstFee, reason: 'fee repaid', taskId, panel: 1 },
    { from, to: pot, amount: penalty, reason: 'penalty', taskId },
    remainder,
  ];
}

/** A void panel's fee goes back to who paid it; a wrong panel pays for the next one: Court._settleRound. */
function feesRepaid({ panels }: TaskState, verdict: Verdict | 'none'): Move[] {
  return panels.flatMap((panel, i): Move[] => {
    const repay = ({ payer, fee }: { payer: Address; fee: bigint }, number: number): Move => ({
      ...{ from: pot, to: account(payer), amount: fee, reason: 'fee repaid', panel: number },
    });
    if (panel.ruling === 'none') return [repay(panel, i + 1)];
    const next = panels[i + 1];
    return panel.ruling === verdict || next === undefined ? [] : [repay(next, i + 2)];
  });
}

function forfeited(owner: Address, amount: bigint): Move {
  return { from: { pocket: 'court', owner }, to: pot, amount, reason: 'forfeit' };
}

function partOf(amount: bigint, basisPoints: number): bigint {
  return (amount * BigInt(basisPoints)) / 10_000n;
}

const outside: Place = { pocket: 'outside', owner: null };
const escrow: Place = { pocket: 'market', owner: null };
const pot: Place = { pocket: 'court', owner: null };
const burned: Place = { pocket: 'burned', owner: null };

function account(owner: Address): Place {
  return { pocket: 'account', owner };
}

function staked(owner: Address): Place {
  return { pocket: 'staking', owner };
}
