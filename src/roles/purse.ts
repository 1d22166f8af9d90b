/** An account's token in the vault, topped up from the account when a payment needs it. */
import { requireSigner } from '../chain/client.js';
import type { Sent } from '../chain/send.js';
import { PanthaliaError } from '../errors.js';
import type { RoleContext } from './context.js';

export interface Purse {
  /** Makes sure that `amount` is in the vault, then pays: one payment at a time, or two would count on the same tokens.
   *  throws user/account.no_tokens */
  spend<T>(amount: bigint, pay: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Puts `amount` into the vault ahead of time: a payment that has to be quick is then one transaction instead of three.
   *  throws user/account.no_tokens */
  reserve(amount: bigint, signal: AbortSignal): Promise<void>;
}

export function createPurse(context: Pick<RoleContext, 'chain' | 'contracts'>): Purse {
  let last: Promise<unknown> = Promise.resolve();
  const spend: Purse['spend'] = (amount, pay, signal) => {
    const payment = last.then(async () => {
      const toppingUp = confirmed(await topUp(context, amount, signal));
      const paying = pay();
      await Promise.allSettled([toppingUp, paying]);
      await toppingUp;
      return paying;
    });
    last = payment.catch(() => {});
    return payment;
  };
  return { spend, reserve: (amount, signal) => spend(amount, async () => {}, signal) };
}

/** Each transaction is estimated on top of the ones before, so none of them is waited for. */
async function topUp(
  { chain, contracts }: Pick<RoleContext, 'chain' | 'contracts'>,
  amount: bigint,
  signal: AbortSignal,
): Promise<Sent[]> {
  const { address } = requireSigner(chain);
  const held = await contracts.vault.read('balanceOf', [address]);
  if (held >= amount) return [];
  const missing = amount - held;
  const owned = await contracts.token.read('balanceOf', [address]);
  if (owned < missing) throw tooPoor(address, missing, owned);
  return [
    await contracts.token.send('approve', [contracts.vault.address, missing], signal),
    await contracts.vault.send('deposit', [missing], signal),
  ];
}

async function confirmed(sent: readonly Sent[]): Promise<void> {
  for (const one of sent) await one.confirmed();
}

function tooPoor(address: string, needed: bigint, available: bigint): PanthaliaError {
  return new PanthaliaError(
    'user',
    `Account ${address} needs ${tokens(needed)} PAN and has ${tokens(available)}.`,
    {
      code: 'account.no_tokens',
      details: { address, needed, available },
      next: 'send tokens to this account, or use another one',
    },
  );
}

/** With the decimals that matter: 18 of them would hide the number. */
function tokens(amount: bigint): string {
  const thousandths = (amount * 1000n) / 10n ** 18n;
  return (Number(thousandths) / 1000).toString();
}
