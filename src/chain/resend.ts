/** What a reorganisation drops out of the chain, some nodes forget: then every later transaction of the account waits for ever. We sent
 *  it, so we have it, and send it again as it was signed: with the same nonce it can happen once only. */
import { Transaction } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Chain, Signer } from './client.js';
import { whoUsed } from './nonceUse.js';
import { broadcast, isStaleNonce, isTooSoon, newest, prepare, type Sending, sign } from './outbox.js';
import { isUnreachable, rpcError } from './rpcError.js';

/** Sends again those of our last transactions whose nonces the node has neither in a block nor in its pool. Where another process of
 *  this account had sent the one before them, and it is gone, nothing takes its place: ours would wait for ever.
 *  returns whether there were any.  throws what the node says against a transaction that does nothing */
export function sendDroppedAgain(chain: Chain, signer: Signer): Promise<boolean> {
  return signer.inOrder(async () => {
    const count = await countOf(chain, signer, 'pending');
    if (count === null) return false;
    const dropped = [...signer.sent.values()]
      .filter(({ nonce }) => nonce >= count)
      .sort((a, b) => a.nonce - b.nonce);
    const first = dropped[0]?.nonce ?? count;
    const isGap = first > count;
    // A node that is behind the others has not seen yet what stands there: it takes two looks to be sure.
    if (isGap && signer.gapAt !== count) {
      signer.gapAt = count;
      return false;
    }
    signer.gapAt = null;
    if (dropped.length === 0) return false;
    for (let nonce = count; nonce < first; nonce++) await fillGap(chain, signer, nonce);
    for (const sending of dropped) await broadcast(chain, sending);
    if (isGap) return true;
    const which = dropped.length === 1 ? `nonce ${first}` : `nonces ${first} to ${dropped.at(-1)?.nonce}`;
    const message = `The node had lost what ${signer.address} sent with ${which}; it was sent again.`;
    tell(chain, message, 'transaction.sent_again');
    return true;
  });
}

/** A transfer of nothing to ourselves: whatever stood there before, nobody who waits for it is hurt more than by waiting. */
async function fillGap(chain: Chain, signer: Signer, nonce: number): Promise<void> {
  const filler = await prepare(signer, nonce, { to: signer.address, data: '0x' });
  filler.abandoned = true;
  const refusal = await broadcast(chain, filler);
  if (refusal === null || isTooSoon(refusal)) {
    const message = `Nonce ${nonce} of ${signer.address} is used by nothing any more, and later ones waited for it: it went to a transfer of 0 to itself. Does another process send from this account?`;
    tell(chain, message, 'transaction.gap_filled');
    return;
  }
  signer.sent.delete(nonce);
  // It is not free after all.
  if (!isStaleNonce(refusal)) throw refusal;
}

/** Of ours that are in no block yet, those that the chain has become too dear for are signed again: the same call, the same nonce. */
export function raiseFees(chain: Chain, signer: Signer): Promise<void> {
  return signer.inOrder(async () => {
    const mined = await countOf(chain, signer, 'latest');
    if (mined === null) return;
    const waiting = [...signer.sent.values()].filter(({ nonce }) => nonce >= mined);
    if (waiting.length === 0) return;
    const { provider } = chain;
    const block = await provider.getBlock('latest').catch(() => null);
    const least = block?.baseFeePerGas ?? 0n;
    const tooCheap = waiting.filter((sending) => (feeOf(sending).maxFeePerGas ?? least) < least);
    for (const sending of tooCheap) await raise(chain, signer, sending);
  });
}

async function raise(chain: Chain, signer: Signer, sending: Sending): Promise<void> {
  const now = await chain.provider.getFeeData();
  const old = feeOf(sending);
  const maxFeePerGas = larger(now.maxFeePerGas, raised(old.maxFeePerGas));
  const maxPriorityFeePerGas = larger(now.maxPriorityFeePerGas, raised(old.maxPriorityFeePerGas));
  const { request, nonce } = sending;
  sending.signed.push(await sign(signer.wallet, { ...request, nonce, maxFeePerGas, maxPriorityFeePerGas }));
  await broadcast(chain, sending);
  const message = `Gas has become dearer than what nonce ${nonce} of ${signer.address} offered: now it offers up to ${maxFeePerGas} wei.`;
  tell(chain, message, 'transaction.fee_raised');
}

/** Nodes want a tenth more of both for a transaction in the place of another. */
function raised(fee: bigint | null): bigint {
  return ((fee ?? 0n) * 9n) / 8n + 1n;
}

function larger(a: bigint | null, b: bigint): bigint {
  return a !== null && a > b ? a : b;
}

function feeOf(sending: Sending): Transaction {
  return Transaction.from(newest(sending).serialized);
}

/** Makes sure that the transaction can still come into a block.  throws network/transaction.replaced where another one stands in a
 *  block with its nonce: that one is named, as no count is proof of it */
export async function requireNonce(chain: Chain, signer: Signer, sending: Sending): Promise<void> {
  const { nonce } = sending;
  const mined = await countOf(chain, signer, 'latest');
  if (mined === null || mined <= nonce) return;
  const by = await whoUsed(chain, signer.address, nonce);
  if (by === null || sending.signed.some(({ hash }) => hash === by)) return;
  signer.sent.delete(nonce);
  const { hash } = newest(sending);
  throw new PanthaliaError(
    'network',
    `Transaction ${hash} can not come into a block any more: ${signer.address} has used nonce ${nonce} for ${by}.`,
    {
      code: 'transaction.replaced',
      details: { hash, nonce, by },
      next: 'give the same command again; does another process send from this account?',
    },
  );
}

/** Nothing is said against the call itself: its transaction came to nothing, and the same call makes another one. */
export function isLost(error: unknown): boolean {
  return error instanceof PanthaliaError && error.code.startsWith('transaction.');
}

/** Its nonce went to another transaction. */
export function isDisplaced(error: unknown): boolean {
  return error instanceof PanthaliaError && error.code === 'transaction.replaced';
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

function tell({ emit }: Chain, message: string, code: string): void {
  emit({ type: 'alert', level: 'warn', message, code });
}
