/** What a batch of tasks was posted with. The chain keeps only its hash: whoever calls about a task brings the terms, and the ids
 *  follow from them. Twin: contracts/market/TaskBook.sol */
import { keccakWords } from './abiWords.js';
import type { Address, Hex32 } from './task.js';

/** As in ITaskMarket.sol. */
export interface Terms {
  buyer: Address;
  /** escrowed for each task, token units */
  price: bigint;
  subnetId: number;
  paramsVersion: number;
  round: number;
  /** H: a trace has the states S_0 .. S_H */
  innerSteps: number;
  jobId: Hex32;
  baseRoot: Hex32;
  specHash: Hex32;
  /** bit s: slot s of the round has a task in this batch */
  slots: bigint;
  /** makes equal batches of one buyer differ */
  salt: number;
}

/** The market that the ids belong to. */
export interface MarketPlace {
  chainId: number;
  market: Address;
}

/** Slots are bits of one word. */
export const mostSlots = 256;

/** keccak256(abi.encode(chain id, market, terms)) */
export function batchIdOf({ chainId, market }: MarketPlace, terms: Terms): Hex32 {
  const { buyer, price, subnetId, paramsVersion, round, innerSteps } = terms;
  const { jobId, baseRoot, specHash, slots, salt } = terms;
  const first = [buyer, price, subnetId, paramsVersion, round, innerSteps];
  return keccakWords(chainId, market, ...first, jobId, baseRoot, specHash, slots, salt);
}

/** keccak256(abi.encode(chain id, market, batchId, slot)) */
export function taskIdOf({ chainId, market }: MarketPlace, batchId: Hex32, slot: number): Hex32 {
  return keccakWords(chainId, market, batchId, slot);
}

/** throws RangeError for a slot that has no bit */
export function slotBits(slots: readonly number[]): bigint {
  return slots.reduce((bits, slot) => {
    if (!Number.isInteger(slot) || slot < 0 || slot >= mostSlots) {
      throw new RangeError(`slots are 0 to ${mostSlots - 1}, received ${slot}`);
    }
    return bits | (1n << BigInt(slot));
  }, 0n);
}

/** Ascending. */
export function slotsIn(bits: bigint): number[] {
  return Array.from({ length: mostSlots }, (_, slot) => slot).filter((slot) => (bits >> BigInt(slot)) & 1n);
}
