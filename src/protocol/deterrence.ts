/** When honest work pays more than a wrong result, in real numbers: for whoever chooses parameters. What a subnet's parameters
 *  must keep is `leastChance` of sampling.ts, in integers.
 *  source: PoSP (arXiv 2405.00295), first proposition; forms with n verifiers derived from it
 *
 *  R price, S stake, C cost of honest work, r share of verifiers that collude with the solver, p chance of a check */

/** Amounts in any one unit. */
export interface Wager {
  cost: number;
  price: number;
  stake: number;
  /** r, in [0, 1) */
  collusion: number;
}

/** What a task brings whoever works, and whoever delivers a wrong result for nothing: R - C and R - p (1 - r) (R + S). */
export function payoffs(wager: Wager, chance: number): { honest: number; cheating: number } {
  const { cost, price, stake, collusion } = wager;
  return { honest: price - cost, cheating: price - chance * (1 - collusion) * (price + stake) };
}

/** p from which on honest work pays: C / ((1 - r) (R + S)). Above 1: no checking deters. */
export function deterringChance({ cost, price, stake, collusion }: Wager): number {
  return cost / ((1 - collusion) * (price + stake));
}

/** S from which on a chance deters: C / (p (1 - r)) - R. */
export function deterringStake({ cost, price, collusion }: Omit<Wager, 'stake'>, chance: number): number {
  return cost / (chance * (1 - collusion)) - price;
}

/** r up to which a chance deters: 1 - C / (p (R + S)). */
export function tolerableCollusion({ cost, price, stake }: Omit<Wager, 'collusion'>, chance: number): number {
  return 1 - cost / (chance * (price + stake));
}

/** p for checks by n verifiers, each of whom is paid R too, where colluding ones back the lie whoever else was drawn, and are
 *  slashed if anybody was. */
export function deterringChanceOfPanel({ cost, price, stake, collusion }: Wager, verifiers: number): number {
  const r = collusion;
  const all = r ** verifiers;
  const atRisk = 1 + r * verifiers - (verifiers + 1) * all;
  return cost / ((1 - 2 * all + r) * price - r * verifiers * cost + atRisk * stake);
}

/** p for checks by n verifiers where colluding ones tell the truth if they would lose: C / ((1 - r^n) (R + S)). */
export function deterringChanceOfWaryPanel(wager: Wager, verifiers: number): number {
  return deterringChance({ ...wager, collusion: wager.collusion ** verifiers });
}
