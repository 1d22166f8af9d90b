/** One movement of tokens in the vault, from where to where and why. */
import type { ChainFact } from './facts.js';
import type { Address, Hex32 } from './task.js';

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
 *  burn                     what nobody gets: also the bond of a checker that was absent or wrong, and the price of a task that
 *                           as many solvers as may try have not solved */
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

export type Move = Pick<Entry, 'from' | 'to' | 'amount' | 'reason'> &
  Partial<Pick<Entry, 'taskId' | 'caseId' | 'panel'>>;

export const outside: Place = { pocket: 'outside', owner: null };
export const escrow: Place = { pocket: 'market', owner: null };
export const pot: Place = { pocket: 'court', owner: null };
export const demanded: Place = { pocket: 'challenge', owner: null };
export const checked: Place = { pocket: 'audit', owner: null };
export const burned: Place = { pocket: 'burned', owner: null };

export function account(owner: Address): Place {
  return { pocket: 'account', owner };
}

export function bonded(owner: Address): Place {
  return { pocket: 'registry', owner };
}

export function staked(owner: Address): Place {
  return { pocket: 'staking', owner };
}
