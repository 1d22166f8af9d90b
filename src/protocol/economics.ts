/** The money of a dispute, in token units. Twin: contracts/libraries (escalation).
 *  source: the paper's Figure 4 (3 verifiers for 30, 5 for 50); research/contracts.md 3.6 */

/** Verifiers in dispute round `round` (from 1): 3, 5, 7, ... */
export function panelSize(round: number): number {
  return 2 * round + 1;
}

/** What opening this round costs.  feePerVerifier: v */
export function roundFee(round: number, feePerVerifier: bigint): bigint {
  return BigInt(panelSize(round)) * feePerVerifier;
}

/** Votes that decide a panel; fewer reveals of one verdict leave the round without a quorum. */
export function quorum(size: number): number {
  return Math.floor(size / 2) + 1;
}

/** Whole seats that an amount pays for; the rest stays where it is. */
export function wholeSeats(amount: bigint, seatPrice: bigint): number {
  return Number(amount / seatPrice);
}
