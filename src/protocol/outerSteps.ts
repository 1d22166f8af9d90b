/** The chain of a job's outer steps, as contracts/StateRegistry.sol keeps it: what went into each, and where it led.
 *  Anyone can follow it from events alone. Twin: contracts/StateRegistry.sol */
import { keccak, keccakWords } from './abiWords.js';
import type { Address, Hex32 } from './task.js';

export interface MergedResult {
  slot: number;
  taskId: Hex32;
  resultRoot: Hex32;
}

/** Whose chain it is: a job belongs to one buyer, one subnet and one manifest. */
export interface JobRef {
  buyer: Address;
  subnetId: number;
  jobId: Hex32;
}

/** One key per job, for maps. */
export function jobKey({ buyer, subnetId, jobId }: JobRef): string {
  return `${subnetId}/${buyer}/${jobId}`;
}

/** The Merkle root over what went into an outer step, in slot order: leaves keccak256(abi.encode(slot, taskId, resultRoot)), pairs
 *  sorted. source: Solady MerkleTreeLib.build, a complete tree whose leaves stand last and backwards
 *  throws RangeError for no results, and for slots that do not ascend */
export function contributionRoot(results: readonly MergedResult[]): Hex32 {
  results.forEach(({ slot }, i) => {
    const before = results[i - 1]?.slot;
    if (before !== undefined && slot <= before) {
      throw new RangeError(`slots ascend, received ${slot} after ${before}`);
    }
  });
  const leaves = results.map(({ slot, taskId, resultRoot }) => keccakWords(slot, taskId, resultRoot));
  const nodes = new Array<Hex32>(Math.max(0, 2 * leaves.length - 1));
  leaves.forEach((leaf, i) => {
    nodes[nodes.length - 1 - i] = leaf;
  });
  for (let i = leaves.length - 2; i >= 0; i--) {
    nodes[i] = pair(nodes[2 * i + 1] as Hex32, nodes[2 * i + 2] as Hex32);
  }
  const root = nodes[0];
  if (root === undefined) throw new RangeError('an outer step has at least one result, received none');
  return root;
}

/** The chain hash before the first outer step of a job that starts from `baseRoot`. */
export function chainBeginning(
  { chainId, states }: { chainId: number; states: Address },
  { buyer, subnetId, jobId }: JobRef,
  baseRoot: Hex32,
): Hex32 {
  return keccakWords(chainId, states, buyer, subnetId, jobId, baseRoot);
}

/** The chain hash after one more outer step. */
export function chainAfter(
  previous: Hex32,
  step: { round: number; stateRoot: Hex32; contributionRoot: Hex32 },
): Hex32 {
  return keccakWords(previous, step.round, step.stateRoot, step.contributionRoot);
}

function pair(left: Hex32, right: Hex32): Hex32 {
  const [first, second] = left < right ? [left, right] : [right, left];
  return keccak(Buffer.from(first.slice(2) + second.slice(2), 'hex'));
}
