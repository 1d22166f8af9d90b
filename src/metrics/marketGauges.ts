/** What a view of the market says, asked at each scrape. */
import type { MarketView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';
import type { Instruments } from './instruments.js';

/** market: the newest view.  nameOf: of an account, for labels */
export function addMarketGauges(
  { gauge }: Instruments,
  market: () => MarketView,
  nameOf: (account: Address) => string,
): void {
  gauge('tasks', 'Tasks by state.', ['state'], (own) => {
    for (const { state } of market().tasks.values()) own.inc({ state });
  });
  gauge('disputes', 'Cases by verdict; pending while one is open.', ['verdict'], (own) => {
    for (const { verdict } of market().cases.values()) own.inc({ verdict: verdict ?? 'pending' });
  });
  gauge('stake_seats', 'Seats that can be drawn.', ['account', 'role'], (own) => {
    for (const { account, role, seats, jailed } of market().positions.values()) {
      own.set({ account: nameOf(account), role }, jailed ? 0 : seats);
    }
  });
  gauge('slashed_tokens', 'Tokens lost to slashing, ever.', ['account', 'role'], (own) => {
    for (const { account, role, slashed } of market().positions.values()) {
      own.set({ account: nameOf(account), role }, tokens(slashed));
    }
  });
  gauge('earned_tokens', 'Prices and shares of panels, ever.', ['account'], (own) => {
    for (const { state, solver, price } of market().tasks.values()) {
      if (state === 'accepted' && solver !== null) own.inc({ account: nameOf(solver) }, tokens(price));
    }
    for (const { rounds } of market().cases.values()) {
      for (const { voter, paid } of rounds.flatMap(({ seats }) => seats)) {
        own.inc({ account: nameOf(voter) }, tokens(paid));
      }
    }
  });
  gauge('fees_paid_tokens', 'Fees of panels, ever.', ['account'], (own) => {
    for (const { payer, fee } of [...market().cases.values()].flatMap(({ rounds }) => rounds)) {
      own.inc({ account: nameOf(payer) }, tokens(fee));
    }
  });
}

function tokens(amount: bigint): number {
  return Number(amount) / 1e18;
}
