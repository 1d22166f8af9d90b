/** Who gets what at the end of a case, in token units. Twin: contracts/libraries/Settlement.sol, which says why. */

/** One panel that came to a ruling.  right: seats that voted for the final one; lost: bonds of the others, replaced seats
 *  included; refund: fee of the next panel if this one ruled wrongly, else 0 */
export function settleRound(panel: {
  fee: bigint;
  bond: bigint;
  right: bigint;
  lost: bigint;
  refund: bigint;
}): { share: bigint; burned: bigint } {
  const { fee, bond, right, lost, refund } = panel;
  const rest = lost * bond - refund;
  const share = right > 0n ? (fee + rest / 2n) / right : 0n;
  return { share, burned: fee + rest - right * share };
}

/** One void panel, whose fee goes back.  voted: seats with a vote; lost: bonds of absent seats */
export function settleVoidRound(panel: { bond: bigint; verifierFee: bigint; voted: bigint; lost: bigint }): {
  share: bigint;
  burned: bigint;
} {
  const { bond, verifierFee, voted, lost } = panel;
  const pot = lost * bond;
  const even = voted > 0n ? pot / voted : 0n;
  const share = even > verifierFee ? verifierFee : even;
  return { share, burned: pot - voted * share };
}

/** The seat of a convicted solver.  fee: what the disputer paid for the first panel */
export function settleConviction(
  terms: { solverStake: bigint; bountyBps: number; buyerBps: number },
  fee: bigint,
): { toDisputer: bigint; toBuyer: bigint; burned: bigint } {
  const toDisputer = fee + partOf(terms.solverStake, terms.bountyBps);
  const toBuyer = partOf(terms.solverStake, terms.buyerBps);
  return { toDisputer, toBuyer, burned: terms.solverStake - toDisputer - toBuyer };
}

/** Rounded down. */
export function partOf(amount: bigint, basisPoints: number): bigint {
  return (amount * BigInt(basisPoints)) / 10_000n;
}
