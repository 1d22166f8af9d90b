/** Epochs are blocks counted in equal parts. Twin: contracts/randomness/RandomnessBeacon.sol */

export interface EpochRules {
  /** blocks */
  epochLength: number;
  /** blocks from the start of an epoch to the block that seeds the epoch before it */
  seedDelay: number;
}

export function epochOf(block: number, rules: Pick<EpochRules, 'epochLength'>): number {
  return Math.floor(block / rules.epochLength);
}

/** The block whose mix seeds `epoch`. */
export function seedBlock(epoch: number, rules: EpochRules): number {
  return (epoch + 1) * rules.epochLength + rules.seedDelay;
}
