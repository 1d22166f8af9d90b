/** What a reorganisation drops out of the chain, some nodes forget: then every later transaction of the account waits for ever. We sent
 *  it, so we have it, and send it again as it was signed: with the same nonce it can happen once only. */
import { setTimeout as delay } from 'node:timers/promises';
import { Transaction } from 'ethers';
import { PanthaliaError } from '../errors.js';
import { type Chain, latestBlock, requireSigner, type Signer } from './client.js';
import { whoUsed } from './nonceUse.js';
import {
  broadcast,
  isHopeless,
  isStaleNonce,
  isTooSoon,
  newest,
  prepare,
  type Sending,
  type Signed,
  show,
  sign,
} from './outbox.js';
import { isUnreachable, rpcError } from './rpcError.js';

/** Without a receipt for so long, we look whether the node still has the transaction. */
export const lookEveryMs = 3_000;
const settlePollMs = 250;

/** Sends again those of our last transactions whose nonces the node has neither in a block nor in its pool. Where another process of
 *  this account had sent the one before them, and it is gone, nothing takes its place: ours would wait for ever. What no node takes any
 *  more is forgotten, and its refusal kept for whoever waits for it.
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
    if (isGap && isNewGap(signer, count)) return false;
    signer.gap = null;
    if (dropped.length === 0) return false;
    for (let nonce = count; nonce < first; nonce++) await fillGap(chain, signer, nonce);
    const taken: number[] = [];
    for (const sending of dropped) {
      if ((await show(chain, sending, newest(sending))) === 'taken') taken.push(sending.nonce);
      if (isHopeless(sending.refusal)) signer.sent.delete(sending.nonce);
    }
    if (isGap || taken.length === 0) return true;
    const which = taken.length === 1 ? `nonce ${taken[0]}` : `nonces ${taken[0]} to ${taken.at(-1)}`;
    const message = `The node had lost what ${signer.address} sent with ${which}; it was sent again.`;
    tell(chain, message, 'transaction.sent_again');
    return true;
  });
}

/** A node that is behind the others has not seen yet what stands there: it takes two looks to be sure, and time between them, as
 *  everybody who waits looks for all. */
function isNewGap(signer: Signer, nonce: number): boolean {
  if (signer.gap?.nonce !== nonce) signer.gap = { nonce, sinceMs: Date.now() };
  return Date.now() - signer.gap.sinceMs < lookEveryMs;
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
    const isCheap = (signed: Signed) => (feeOf(signed).maxFeePerGas ?? least) < least;
    for (const sending of waiting.filter((one) => isCheap(offered(one)))) {
      const last = newest(sending);
      const isUnheard = !last.isOffered && sending.refusal === null && !isCheap(last);
      await raise(chain, signer, sending, isUnheard ? last : await dearer(chain, signer, sending));
    }
  });
}

/** It counts once a node has it. Where the answer is lost, it may come into a block, and is shown again with the next look. */
async function raise(chain: Chain, signer: Signer, sending: Sending, signed: Signed): Promise<void> {
  const shown = await show(chain, sending, signed);
  if (shown !== 'refused' && signed !== newest(sending)) sending.signed.push(signed);
  if (!signed.isOffered) return;
  const { maxFeePerGas } = feeOf(signed);
  const message = `Gas has become dearer than what nonce ${sending.nonce} of ${signer.address} offered: now it offers up to ${maxFeePerGas} wei.`;
  tell(chain, message, 'transaction.fee_raised');
}

async function dearer(chain: Chain, signer: Signer, sending: Sending): Promise<Signed> {
  const now = await chain.provider.getFeeData();
  const old = feeOf(newest(sending));
  const maxFeePerGas = larger(now.maxFeePerGas, raised(old.maxFeePerGas));
  const maxPriorityFeePerGas = larger(now.maxPriorityFeePerGas, raised(old.maxPriorityFeePerGas));
  const { request, nonce } = sending;
  return sign(signer.wallet, { ...request, nonce, maxFeePerGas, maxPriorityFeePerGas });
}

/** The last version that a node is known to have; the first while none is. */
function offered({ signed }: Sending): Signed {
  return signed.findLast(({ isOffered }) => isOffered) ?? (signed[0] as Signed);
}

/** Nodes want a tenth more of both for a transaction in the place of another. */
function raised(fee: bigint | null): bigint {
  return ((fee ?? 0n) * 9n) / 8n + 1n;
}

function larger(a: bigint | null, b: bigint): bigint {
  return a !== null && a > b ? a : b;
}

function feeOf({ serialized }: Signed): Transaction {
  return Transaction.from(serialized);
}

/** What a reorganisation has dropped, the node may put into a block again by itself, or when it is shown it: before the same is done anew,
 *  all that this account has sent is shown again and waited for.  returns a block behind it.  throws network/rpc.* */
export async function settleSent(chain: Chain, signal: AbortSignal): Promise<number> {
  const signer = requireSigner(chain);
  const last = Math.max(-1, ...signer.sent.keys());
  while (true) {
    const block = await settledIn(chain, signer, last);
    if (block !== null) return block;
    await delay(settlePollMs, undefined, { signal });
  }
}

/** Null while something up to the nonce `last` waits. */
async function settledIn(chain: Chain, signer: Signer, last: number): Promise<number | null> {
  try {
    await raiseFees(chain, signer);
    await sendDroppedAgain(chain, signer);
    const mined = await countOf(chain, signer, 'latest');
    const isWaiting = (nonce: number) => nonce <= last && nonce >= (mined ?? 0);
    if (mined === null || [...signer.sent.keys()].some(isWaiting)) return null;
    return (await latestBlock(chain)).number;
  } catch (cause) {
    throw rpcError(cause, chain.rpcUrl);
  }
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
