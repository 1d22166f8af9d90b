/** Puts a worker's stake in place: whole solver seats, and as many verifier seats beside them. */
import { requireSigner } from '../chain/client.js';
import { isRefusal } from '../chain/revert.js';
import { PanthaliaError } from '../errors.js';
import { formatTokens } from '../events/amount.js';
import { mostSeats, wholeSeats } from '../protocol/economics.js';
import type { RoleContext } from './context.js';
import type { Purse } from './purse.js';
import type { SubnetRules } from './rules.js';

/** As in IStaking.sol. */
const solver = 0;
const verifier = 1;

/** Brings the account up to the seats that `amount` pays for; seats it already has count, so a restart stakes nothing twice.
 *  throws usage/stake.too_small, usage/stake.too_many, user/account.no_tokens */
export async function ensureStaked(
  context: Pick<RoleContext, 'chain' | 'contracts' | 'market' | 'emit'>,
  options: { amount: bigint; purse: Purse; rules: SubnetRules },
  signal: AbortSignal,
): Promise<void> {
  const { amount, purse, rules } = options;
  const { params, subnetId } = rules;
  const wanted = wholeSeats(amount, params.solverStake);
  if (amount > 0n && wanted === 0n) throw tooSmall(amount, params.solverStake);
  const most = mostSeats(params);
  if (wanted > most) throw tooMany(wanted, most, params.solverStake);
  const rest = amount - wanted * params.solverStake;
  if (rest > 0n)
    context.emit({ type: 'alert', level: 'info', ...leftOver(amount, rest, params.solverStake) });
  const verifierSeat = params.seatBond * BigInt(params.exposure);
  for (const [role, price] of [
    [solver, params.solverStake],
    [verifier, verifierSeat],
  ] as const) {
    const { address } = requireSigner(context.chain);
    const position = await context.contracts.staking.read('positionOf', [subnetId, role, address]);
    const missing = Number(wanted) - position.seats;
    if (missing <= 0) continue;
    const stake = () => context.contracts.staking.write('stake', [subnetId, role, missing], signal);
    try {
      const { blockNumber } = await purse.spend(price * BigInt(missing), stake, signal);
      await context.market.caughtUp(blockNumber, signal);
    } catch (error) {
      if (!isRefusal(error, 'PositionIsJailed')) throw error;
      const message = `Account ${address} was convicted in this subnet: it may verify, and solves no more.`;
      context.emit({ type: 'alert', level: 'warn', message, code: 'stake.jailed' });
    }
  }
}

function leftOver(amount: bigint, rest: bigint, seat: bigint) {
  const message = `${formatTokens(rest)} of the ${formatTokens(amount)} PAN to stake are not staked: a solver seat costs ${formatTokens(seat)}.`;
  return { message, code: 'stake.left_over' };
}

function tooSmall(amount: bigint, seat: bigint): PanthaliaError {
  return new PanthaliaError(
    'usage',
    `A solver seat costs ${formatTokens(seat)} PAN, ${formatTokens(amount)} were offered.`,
    {
      code: 'stake.too_small',
      details: { amount, seat },
      next: `panthalia worker --stake ${formatTokens(seat)}`,
    },
  );
}

function tooMany(wanted: bigint, most: bigint, seat: bigint): PanthaliaError {
  return new PanthaliaError(
    'usage',
    `At most ${most} solver seats were expected, as many as one account can hold here; received tokens for ${wanted}.`,
    {
      code: 'stake.too_many',
      details: { expected: most, received: wanted },
      next: `panthalia worker --stake ${formatTokens(seat)}   for one seat`,
    },
  );
}
