/** What an account has staked, in words. Pure. */
import { plural } from '../events/plural.js';
import { type MarketView, positionKey } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';

/** `1 solver seat and 2 verifier seats`; null where nothing is drawn. */
export function seatsOf({ positions }: MarketView, subnetId: number, account: Address): string | null {
  const parts = (['solver', 'verifier'] as const).flatMap((role) => {
    const { seats = 0, jailed = false } = positions.get(positionKey(subnetId, role, account)) ?? {};
    return seats <= 0 || jailed ? [] : [plural(seats, `${role} seat`)];
  });
  return parts.length === 0 ? null : parts.join(' and ');
}

/** For whoever stops: leaving asks nothing back. */
export function stayingSentence(seats: string): string {
  return `What stays staked is drawn while nobody is here to answer, which costs bonds: ${seats}. panthalia unstake asks it back.`;
}
