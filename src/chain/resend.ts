/** What a reorganisation drops out of the chain, some nodes forget: then every later transaction of the account waits for ever. We sent
 *  it, so we have it, and send it again as it was signed: with the same nonce it can happen once only. */
import { PanthaliaError } from '../errors.js';
import type { Hex32 } from '../protocol/task.js';
import type { Chain, Signer } from './client.js';
import { isUnreachable, rpcError } from './rpcError.js';

/** No deeper reorganisation is followed; see watch.ts. */
const kept = 64;

/** Where a transaction is looked for. */
export interface Place {
  hash: Hex32;
  nonce: number;
}

/** serialized: the signed transaction, hex */
export function keepSent({ sent }: Signer, nonce: number, serialized: string): void {
  sent.set(nonce, serialized);
  sent.delete(nonce - kept);
}

/** Sends again those of our last transactions whose nonces the node has neither in a block nor in its pool.  returns whether there were any */
export async function sendDroppedAgain(chain: Chain, signer: Signer): Promise<boolean> {
  const count = await countOf(chain, signer, 'pending');
  if (count === null) return false;
  const nonces = [...signer.sent.keys()].sort((a, b) => a - b).filter((nonce) => nonce >= count);
  // Without the first of them, the others would wait for it again.
  if (nonces[0] !== count) return false;
  for (const nonce of nonces) await broadcast(chain, signer.sent.get(nonce) as string);
  const which = nonces.length === 1 ? `nonce ${count}` : `nonces ${count} to ${nonces.at(-1)}`;
  const message = `The node had lost what ${signer.address} sent with ${which}; it was sent again.`;
  chain.emit({ type: 'alert', level: 'warn', message, code: 'transaction.sent_again' });
  return true;
}

/** Makes sure that the transaction can still come into a block.
 *  throws network/transaction.replaced: its nonce was used by another one; network/transaction.nonce_gap: it waits for a nonce that
 *  we did not send. The next transaction takes the nonce that is free. */
export async function requirePlace(chain: Chain, signer: Signer, { hash, nonce }: Place): Promise<void> {
  const mined = await countOf(chain, signer, 'latest');
  const taken = await countOf(chain, signer, 'pending');
  if (mined === null || taken === null) return;
  if (mined > nonce) {
    // It may have come into a block since we asked.
    const receipt = await chain.provider.getTransactionReceipt(hash).catch(() => undefined);
    if (receipt !== null) return;
    const message = `Transaction ${hash} can not come into a block any more: ${signer.address} has used nonce ${nonce} for another one.`;
    signer.nonces.reset();
    throw lost('transaction.replaced', message, { hash, nonce, mined });
  }
  if (taken >= nonce) return;
  const message = `Transaction ${hash} has nonce ${nonce}, and the node waits for nonce ${taken} of ${signer.address} first.`;
  signer.nonces.reset();
  throw lost('transaction.nonce_gap', message, { hash, nonce, expected: taken }, inGap);
}

/** The node has lost a transaction of ours for good: the same call makes another one. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof PanthaliaError && error.code.startsWith('transaction.') && error.family !== 'reverted'
  );
}

/** Its nonce went to another transaction, or waits behind one that we did not send; nothing is said against the call itself. */
export function isDisplaced(error: unknown): boolean {
  return error instanceof PanthaliaError && displaced.has(error.code);
}

const displaced = new Set(['transaction.replaced', 'transaction.nonce_gap']);

const again = 'give the same command again; does another process send from this account?';
const inGap =
  'it may still be mined once the gap is filled: look at panthalia status before you repeat it; does another process send from this account?';

function lost(
  code: string,
  message: string,
  details: Record<string, unknown>,
  next: string = again,
): PanthaliaError {
  return new PanthaliaError('network', message, { code, details, next });
}

/** Null while the node is away. */
async function countOf(
  { provider, rpcUrl }: Chain,
  { address }: Signer,
  block: 'latest' | 'pending',
): Promise<number | null> {
  try {
    return await provider.getTransactionCount(address, block);
  } catch (cause) {
    const error = rpcError(cause, rpcUrl);
    if (isUnreachable(error)) return null;
    throw error;
  }
}

async function broadcast({ provider }: Chain, serialized: string): Promise<void> {
  // It knows it after all, or another process was faster with this nonce: the next look shows which.
  await provider.broadcastTransaction(serialized).catch(() => {});
}
