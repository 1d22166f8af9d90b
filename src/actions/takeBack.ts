/** Stake taken back: asked for, and after its cooldown paid into the vault and from there to a wallet. */
import { recentBlockTime } from '../chain/blockTime.js';
import { requireSigner } from '../chain/client.js';
import { addressGiven } from '../chain/keystore.js';
import { isRefusal } from '../chain/revert.js';
import { PanthaliaError } from '../errors.js';
import { formatTokens } from '../events/amount.js';
import { plural } from '../events/plural.js';
import { epochOf } from '../protocol/epochs.js';
import { type Hold, holdsOf } from '../protocol/exposure.js';
import type { Role } from '../protocol/facts.js';
import type { Address } from '../protocol/task.js';
import { type ConnectOptions, connectWithoutSot } from './connect.js';

/** As in IStaking.sol. */
const numberOf: Record<Role, number> = { solver: 0, verifier: 1 };
const roles: readonly Role[] = ['solver', 'verifier'];

/** More than anybody has: the refusal says how many there are. */
const mostSeats = 2 ** 32 - 1;
const askingGas = 500_000n;

export interface UnstakeOptions extends ConnectOptions {
  /** default: both */
  role?: Role;
  /** of each role; default: all */
  seats?: number;
}

export interface StakeLeft {
  role: Role;
  /** seats that are drawn further on */
  seats: number;
  /** seats asked back and not paid out */
  pending: number;
  /** all that is staked, asked back or not, in tokens */
  staked: string;
  /** of what was asked back; null where nothing was */
  cooldown: Cooldown | null;
  /** bonds in tasks, cases and checks: no cooldown frees them */
  locked: number;
}

export interface Cooldown {
  /** the first in which it can be withdrawn */
  epoch: number;
  block: number;
  over: boolean;
  /** unix seconds, at the pace of the last blocks; null where there is none to go by */
  at: number | null;
}

export interface TakenBack {
  account: Address;
  block: number;
  epoch: number;
  stakes: StakeLeft[];
  holds: Hold[];
}

export interface Unstaked extends TakenBack {
  /** what was asked back now, by role */
  asked: { role: Role; seats: number }[];
}

/** Asks for the stake; the cooldown begins again for what was asked before in the same role. With nothing left to ask for but something asked
 *  already it says how that stands.
 *  throws usage/stake.too_few_seats, user/stake.none, and what connectWithoutSot throws */
export async function unstake(options: UnstakeOptions): Promise<Unstaked> {
  using desk = await openDesk(options);
  const { contracts, market, subnetId, account } = desk;
  const wanted = options.role === undefined ? roles : [options.role];
  const found = await Promise.all(
    wanted.map(async (role) => ({
      role,
      held: await heldSeats(desk, role),
      before: await positionOf(desk, role),
    })),
  );
  if (found.every(({ held, before }) => held === 0 && before.pending === 0))
    throw nothingStaked(desk, options.role);
  // Who names no role means those that are held.
  const wished = found
    .map(({ role, held }) => ({ role, held, seats: options.seats ?? held }))
    .filter(({ held, seats }) => seats > 0 && (held > 0 || options.role !== undefined));
  const short = wished.find(({ held, seats }) => seats > held);
  if (short !== undefined) throw tooFew(account, short);
  const asked: Unstaked['asked'] = [];
  for (const { role, seats } of wished) {
    try {
      const call = [subnetId, numberOf[role], seats] as const;
      const { blockNumber } = await contracts.staking.write('requestUnstake', call, options.signal);
      asked.push({ role, seats });
      await market.caughtUp(blockNumber, options.signal);
    } catch (error) {
      throw tellingDone(error, asked);
    }
  }
  return { ...(await standing(desk)), asked };
}

export interface WithdrawOptions extends ConnectOptions {
  /** out of the vault, token units; default: all that the account has there */
  amount?: bigint;
  /** who gets it; default: the account itself */
  to?: Address;
}

export interface Withdrawn extends TakenBack {
  /** stake that came free now, in tokens */
  freed: string;
  /** to the wallet, in tokens */
  paid: string;
  to: Address;
  /** left in the vault, in tokens */
  vault: string;
}

/** Frees the stake whose cooldown is over, as far as nothing locks it, then pays out of the vault.
 *  throws usage/address.bad_checksum, usage/withdraw.no_wallet, user/withdraw.nothing, user/withdraw.too_much, and what connectWithoutSot throws */
export async function withdraw(options: WithdrawOptions): Promise<Withdrawn> {
  using desk = await openDesk(options);
  const { contracts, account } = desk;
  const to = options.to === undefined ? account : addressGiven(options.to);
  requireWallet(to, desk);
  let freed = 0n;
  const { head } = desk.market;
  for (const role of roles) freed += await free(desk, role, head, options.signal);
  const held = await contracts.vault.read('balanceOf', [account]);
  const amount = options.amount ?? held;
  if (amount > held) throw tooMuch(account, amount, { held, freed });
  if (amount === 0n) throw nothingToWithdraw(await standing(desk, head));
  await contracts.vault.write('withdraw', [to, amount], options.signal);
  const vault = formatTokens(await contracts.vault.read('balanceOf', [account]));
  return { ...(await standing(desk)), freed: formatTokens(freed), paid: formatTokens(amount), to, vault };
}

type Head = Desk['market']['head'];
type Desk = Awaited<ReturnType<typeof openDesk>>;

async function openDesk(options: ConnectOptions) {
  const context = await connectWithoutSot(options);
  try {
    const { subnetId } = context.deployment;
    const account = requireSigner(context.chain).address;
    const epochLength = Number(await context.contracts.beacon.read('epochLength', []));
    return { ...context, subnetId, account, epochLength };
  } catch (error) {
    context[Symbol.dispose]();
    throw error;
  }
}

function positionOf({ contracts, subnetId, account }: Desk, role: Role) {
  return contracts.staking.read('positionOf', [subnetId, numberOf[role], account]);
}

/** Seats that can be asked back, of which the last may be part empty; `positionOf` counts whole ones, and none of who was convicted. */
async function heldSeats({ contracts, subnetId }: Desk, role: Role): Promise<number> {
  try {
    const call = [subnetId, numberOf[role], mostSeats] as const;
    await contracts.staking.simulate('requestUnstake', call, { gasLimit: askingGas });
    return mostSeats;
  } catch (error) {
    if (!isRefusal(error, 'NotEnoughSeats')) throw error;
    const { available } = error.details.args as { available: number };
    return available;
  }
}

/** returns what it paid into the vault, token units */
async function free(desk: Desk, role: Role, head: Head, signal: AbortSignal): Promise<bigint> {
  const { contracts, market, subnetId } = desk;
  const before = await positionOf(desk, role);
  if (before.pending === 0 || epochOf(head.number, desk) < before.unlockAt) return 0n;
  try {
    const { blockNumber } = await contracts.staking.write(
      'withdrawStake',
      [subnetId, numberOf[role]],
      signal,
    );
    await market.caughtUp(blockNumber, signal);
  } catch (error) {
    if (isRefusal(error, 'StillLocked')) return 0n;
    throw error;
  }
  return before.amount - (await positionOf(desk, role)).amount;
}

/** As of `at`, where what it says has to agree with what was decided there; else of the newest block. */
async function standing(desk: Desk, at?: Head): Promise<TakenBack> {
  const { chain, market, account, epochLength } = desk;
  const { head: newest, seconds } = await recentBlockTime(chain);
  const head = at ?? newest;
  const stakes = await Promise.all(
    roles.map(async (role): Promise<StakeLeft> => {
      const { seats, pending, amount, unlockAt, locked } = await positionOf(desk, role);
      const block = unlockAt * epochLength;
      const left = Math.max(0, block - head.number);
      const time = seconds === null ? null : Math.ceil(head.timestamp + left * seconds);
      const cooldown = { epoch: unlockAt, block, over: left === 0, at: time };
      return {
        ...{ role, seats, pending, staked: formatTokens(amount), locked },
        cooldown: pending === 0 ? null : cooldown,
      };
    }),
  );
  const epoch = epochOf(head.number, desk);
  return { account, block: head.number, epoch, stakes, holds: holdsOf(market.view, account) };
}

function tooFew(account: Address, { role, held, seats }: { role: Role; held: number; seats: number }) {
  return new PanthaliaError(
    'usage',
    `At most ${plural(held, `${role} seat`)} of ${account} can be asked back, ${seats} were.`,
    {
      code: 'stake.too_few_seats',
      details: { account, role, expected: held, received: seats },
      next: held === 0 ? `panthalia status ${account}` : `panthalia unstake --role ${role} --seats ${held}`,
    },
  );
}

/** The first of two requests may have gone through: what the chain did is said, whatever stopped the second. */
function tellingDone(error: unknown, asked: Unstaked['asked']): unknown {
  if (!(error instanceof PanthaliaError) || asked.length === 0) return error;
  const { family, message, code, details, next } = error;
  const done = asked.map(({ role, seats }) => plural(seats, `${role} seat`)).join(', ');
  return new PanthaliaError(family, `${message} Asked back before that: ${done}.`, {
    ...{ code, details: { ...details, asked }, cause: error },
    ...(next === undefined ? {} : { next }),
  });
}

function nothingStaked({ account, subnetId }: Desk, role?: Role): PanthaliaError {
  const what = role === undefined ? 'stake' : `stake as ${role}`;
  return new PanthaliaError('user', `Account ${account} has no ${what} in subnet ${subnetId} to ask back.`, {
    code: 'stake.none',
    details: { account, subnetId },
    next: 'name the account that has staked: --account, --keystore or --mnemonic-index',
  });
}

/** What goes to one of the contracts is lost. */
function requireWallet(to: Address, { deployment }: Desk): void {
  const own = Object.entries(deployment.contracts).find(([, at]) => at.toLowerCase() === to.toLowerCase());
  if (own === undefined && !/^0x0{40}$/.test(to)) return;
  const what = own === undefined ? 'nobody' : `the ${own[0]} of this deployment`;
  throw new PanthaliaError(
    'usage',
    `The address of a wallet was expected, received ${to}, which is ${what}.`,
    {
      code: 'withdraw.no_wallet',
      details: { received: to },
      next: 'leave out --to to be paid yourself',
    },
  );
}

function tooMuch(account: Address, asked: bigint, { held, freed }: { held: bigint; freed: bigint }) {
  const now = freed === 0n ? '' : `, of which ${formatTokens(freed)} were stake that this command has freed`;
  return new PanthaliaError(
    'user',
    `Account ${account} has ${formatTokens(held)} PAN in the vault${now}, ${formatTokens(asked)} were asked for.`,
    {
      code: 'withdraw.too_much',
      details: { account, expected: held, received: asked, freed },
      next: held === 0n ? `panthalia status ${account}` : 'leave out --amount to withdraw all of it',
    },
  );
}

function nothingToWithdraw({ account, stakes, epoch, holds }: TakenBack): PanthaliaError {
  const cooling = stakes.filter(({ cooldown }) => cooldown !== null && !cooldown.over);
  const later = Math.max(...cooling.map(({ cooldown }) => cooldown?.epoch ?? 0));
  const isHeld = stakes.some(({ cooldown }) => cooldown?.over === true);
  const [why, next] =
    cooling.length > 0
      ? [`its stake cools down until epoch ${later}, this is epoch ${epoch}`, 'panthalia withdraw, later']
      : isHeld
        ? [
            `its stake is held by ${holds.length} bonds in tasks, cases and checks`,
            'panthalia unstake shows them',
          ]
        : [
            'no stake of it was asked back',
            stakes.every(({ staked }) => staked === '0')
              ? 'name the account that has staked: --account, --keystore or --mnemonic-index'
              : 'panthalia unstake',
          ];
  return new PanthaliaError('user', `Account ${account} has nothing to withdraw: ${why}.`, {
    code: 'withdraw.nothing',
    details: { account, epoch, stakes, holds },
    next,
  });
}
