/** Who owns which ticket of a draw: a plain model of contracts/libraries/SortitionTree.sol, and Staking's rule for tickets. */
import { keccakWords } from './abiWords.js';
import type { Hex32 } from './task.js';

/** From this epoch on, `leaf` weighs `weight` seats. */
export interface SeatChange {
  leaf: number;
  weight: bigint;
  epoch: number;
}

/** Leaf -> seats as they stood when the epoch before `epoch` ended: what draws in `epoch` see.  changes: in their order */
export function seatsBefore(changes: readonly SeatChange[], epoch: number): Map<number, bigint> {
  const seats = new Map<number, bigint>();
  for (const change of changes) if (change.epoch < epoch) seats.set(change.leaf, change.weight);
  return seats;
}

export function totalSeats(seats: ReadonlyMap<number, bigint>): bigint {
  return [...seats.values()].reduce((sum, weight) => sum + weight, 0n);
}

/** The ticket of the `attempt`-th try, from 0; with replacement, so splitting a position changes no chance. */
export function ticketOf(entropy: Hex32, attempt: number, total: bigint): bigint {
  return BigInt(keccakWords(entropy, attempt)) % total;
}

/** Seats laid end to end, leaves ascending.  throws RangeError for a ticket at or above the total */
export function ownerOfTicket(seats: ReadonlyMap<number, bigint>, ticket: bigint): number {
  let left = ticket;
  for (const [leaf, weight] of [...seats].sort(([a], [b]) => a - b)) {
    if (left < weight) return leaf;
    left -= weight;
  }
  throw new RangeError(`there are ${totalSeats(seats)} tickets, received ${ticket}`);
}

/** Seats of the leaves before `leaf`. */
export function seatsUpTo(seats: ReadonlyMap<number, bigint>, leaf: number): bigint {
  return totalSeats(new Map([...seats].filter(([other]) => other < leaf)));
}

export const drawAttempts = 16;

/** The leaf that a draw of Staking hits: of those before `newcomers`, whose tickets are asked for alone once one of the others was hit, the
 *  first that is not passed over; null where the attempts or the seats are used up */
export function drawnLeaf(
  seats: ReadonlyMap<number, bigint>,
  entropy: Hex32,
  newcomers: number,
  isPassedOver: (leaf: number) => boolean,
): number | null {
  let total = totalSeats(seats);
  for (let attempt = 0; attempt < drawAttempts && total > 0n; attempt += 1) {
    const leaf = ownerOfTicket(seats, ticketOf(entropy, attempt, total));
    if (leaf >= newcomers) total = seatsUpTo(seats, newcomers);
    else if (!isPassedOver(leaf)) return leaf;
  }
  return null;
}
