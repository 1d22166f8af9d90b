/** Which submissions are checked although nobody disputes them, and how often that must be. Chances are parts per 2^32.
 *  Twin: contracts/libraries/Sampling.sol, which has the formulas; docs/protocol.md */
import { keccak, keccakWords } from './abiWords.js';
import type { Hex32 } from './task.js';

/** The part of a subnet's parameters that decides which submissions are checked; as in ISubnetRegistry.sol. */
export interface SamplingTerms {
  pMin: number;
  pMax: number;
  scoreHalf: number;
  stepAuditRate: number;
  auditSteps: number;
}

/** What a wrong result costs whoever is convicted of it. */
export interface DeterrenceTerms {
  minPrice: bigint;
  solverStake: bigint;
  adversaryBps: number;
}

export type Check = 'none' | 'steps' | 'whole';

const one = 2n ** 32n;
const always = one - 1n;
const domain = keccak(Buffer.from('PanthaliaSample(bytes32 seed,bytes32 taskId)', 'ascii'));

/** p(score), of a check of the whole task. */
export function checkChance(terms: SamplingTerms, score: bigint): bigint {
  const half = BigInt(terms.scoreHalf);
  const falling = (BigInt(terms.pMax) * half) / (half + score);
  const least = BigInt(terms.pMin);
  return falling < least ? least : falling;
}

/** The die of one submission.  seed: of the epoch that ended after it */
export function rollOf(seed: Hex32, taskId: Hex32): Hex32 {
  return keccakWords(domain, seed, taskId);
}

/** score: of the solver when the check is drawn */
export function checkOf(terms: SamplingTerms, roll: Hex32, score: bigint): Check {
  if (hits(BigInt(roll), checkChance(terms, score))) return 'whole';
  return hits(BigInt(roll) >> 32n, BigInt(terms.stepAuditRate)) ? 'steps' : 'none';
}

/** Steps k of the transitions k -> k + 1 that a check of single steps looks at; one may come twice.  steps: H */
export function auditedSteps(terms: SamplingTerms, roll: Hex32, steps: number): number[] {
  return Array.from({ length: terms.auditSteps }, (_, index) =>
    Number(BigInt(keccakWords(roll, index)) % BigInt(steps)),
  );
}

/** With which chance a wrong result must be convicted so that it does not pay whoever gains `gain` by it. Above 2^32: never. */
export function leastChance(terms: DeterrenceTerms, gain: bigint): bigint {
  const loss = (terms.minPrice + terms.solverStake) * BigInt(10_000 - terms.adversaryBps);
  return (gain * 10_000n * one + loss - 1n) / loss;
}

/** What it costs on average to have a wrong result passed by whoever is drawn to look at it.
 *  chance: that somebody looks, of 2^32 */
export function bribe(
  terms: Pick<DeterrenceTerms, 'solverStake' | 'adversaryBps'> & { bountyBps: number },
  chance: bigint,
): bigint {
  const bounty = (terms.solverStake * BigInt(terms.bountyBps)) / 10_000n;
  return (chance * bounty * BigInt(10_000 - terms.adversaryBps)) / (10_000n * one);
}

/** Chance that some check looks at a result whose every step is wrong. */
export function reach({ pMin, stepAuditRate }: SamplingTerms): bigint {
  return BigInt(pMin) + ((one - BigInt(pMin)) * BigInt(stepAuditRate)) / one;
}

function hits(value: bigint, chance: bigint): boolean {
  return chance === always || value % one < chance;
}
