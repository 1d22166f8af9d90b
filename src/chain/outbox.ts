/** What an account has sent: each call at its nonce, as it was signed. It is kept before a node sees it, so that a lost answer loses
 *  nothing, and nothing is signed a second time at another nonce that may still happen at its own. */
import {
  type HDNodeWallet,
  type JsonRpcProvider,
  Transaction,
  type TransactionRequest,
  type Wallet,
} from 'ethers';
import type { Address, Hex32 } from '../protocol/task.js';
import { neverArrived, nodeMessage } from './rpcError.js';

/** No deeper reorganisation is followed; see watch.ts. */
const kept = 64;

/** What is to happen, without what decides when: nonce and fee. */
export interface SendRequest {
  /** absent: data creates a contract */
  to?: Address;
  data: string;
  gasLimit?: bigint;
}

export interface Sending {
  readonly nonce: number;
  readonly request: SendRequest;
  /** The first, and another for each time that its fee was raised: one nonce, so that one of them at most comes into a block. */
  readonly signed: Signed[];
  /** Nobody waits for it any more. */
  abandoned: boolean;
  /** what the node last said against it */
  refusal: unknown;
}

export interface Signed {
  hash: Hex32;
  /** hex */
  serialized: string;
}

/** By nonce. */
export type Outbox = Map<number, Sending>;

/** Whose outbox it is. */
interface Sender {
  readonly address: Address;
  readonly wallet: Wallet | HDNodeWallet;
  readonly sent: Outbox;
}

interface Node {
  readonly provider: JsonRpcProvider;
}

/** The first nonce, from `least` on, that the node and we know nothing at, and what we have sent that the node has not: it is behind the
 *  others, or has lost it.  throws what the node throws */
export async function freeNonce(
  { provider }: Node,
  { address, sent }: Sender,
  least: number,
): Promise<{ nonce: number; unseen: Sending[] }> {
  const count = await provider.getTransactionCount(address, 'pending');
  for (const nonce of sent.keys()) if (nonce < count - kept) sent.delete(nonce);
  const unseen = [...sent.values()].filter((sending) => sending.nonce >= count);
  let nonce = Math.max(count, least);
  while (sent.has(nonce)) nonce++;
  return { nonce, unseen };
}

/** Signs and keeps. The node has not seen it. */
export async function prepare(signer: Sender, nonce: number, request: SendRequest): Promise<Sending> {
  const signed = [await sign(signer.wallet, { ...request, nonce })];
  const sending: Sending = { nonce, request, signed, abandoned: false, refusal: null };
  signer.sent.set(nonce, sending);
  return sending;
}

/** The same call at the same nonce for other fees. */
export async function sign(wallet: Sender['wallet'], request: TransactionRequest): Promise<Signed> {
  const { from: _, ...populated } = await wallet.populateTransaction(request);
  const serialized = await wallet.signTransaction(populated);
  return { hash: Transaction.from(serialized).hash as Hex32, serialized };
}

/** Shows the node the newest version.  returns what it has against it; null once it has it, or may have it */
export async function broadcast({ provider }: Node, sending: Sending): Promise<unknown> {
  const { serialized } = newest(sending);
  try {
    await provider.send('eth_sendRawTransaction', [serialized]);
    sending.refusal = null;
  } catch (cause) {
    // An answer that is lost says nothing about the question.
    const isRefused = nodeMessage(cause) !== '' || neverArrived(cause);
    sending.refusal = isRefused && !isKnown(cause) ? cause : null;
  }
  return sending.refusal;
}

export function newest({ signed }: Sending): Signed {
  return signed.at(-1) as Signed;
}

/** What a node says of a nonce that is used, or that its pool has something else at. */
export function isStaleNonce(cause: unknown): boolean {
  return /nonce too low|replacement transaction underpriced/i.test(nodeMessage(cause));
}

/** Too cheap for the moment, or ahead of what this node has heard of: it is shown again while it is waited for. */
export function isTooSoon(cause: unknown): boolean {
  return (
    /underpriced|less than block base fee|fee too low|nonce too high/i.test(nodeMessage(cause)) &&
    !isStaleNonce(cause)
  );
}

function isKnown(cause: unknown): boolean {
  return /already (known|imported)/i.test(nodeMessage(cause));
}
