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
  /** A node has said that it has it. One that is not may be in a pool all the same: its answer was lost. */
  isOffered: boolean;
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
  const old = [...sent.keys()].filter((nonce) => nonce < count - kept);
  // What only waits is not settled, however much waits behind it.
  const mined = old.length === 0 ? 0 : await provider.getTransactionCount(address, 'latest');
  for (const nonce of old) if (nonce < mined - kept) sent.delete(nonce);
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
  return { hash: Transaction.from(serialized).hash as Hex32, serialized, isOffered: false };
}

/** Shows the node the newest version.  returns what it has against it; null once it has it, or may have it */
export async function broadcast(node: Node, sending: Sending): Promise<unknown> {
  await show(node, sending, newest(sending));
  return sending.refusal;
}

/** `known`: the node had it before; `lost`: no answer, which says nothing about the question. */
export type Shown = 'taken' | 'known' | 'lost' | 'refused';

/** Shows the node one version, and notes what it says of it. */
export async function show({ provider }: Node, sending: Sending, signed: Signed): Promise<Shown> {
  const shown = await provider.send('eth_sendRawTransaction', [signed.serialized]).then(
    () => 'taken' as const,
    (cause) => {
      if (isKnown(cause)) return 'known';
      return nodeMessage(cause) !== '' || neverArrived(cause) ? { refusal: cause as unknown } : 'lost';
    },
  );
  sending.refusal = typeof shown === 'object' ? shown.refusal : null;
  if (shown === 'taken' || shown === 'known') signed.isOffered = true;
  return typeof shown === 'object' ? 'refused' : shown;
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

/** No node takes it, now or later: it breaks a rule of the chain.  source: geth's, Nethermind's, Erigon's and anvil's words */
export function isHopeless(cause: unknown): boolean {
  return /intrinsic gas|exceeds (the )?block gas limit|gas limit too high|init ?code size/i.test(
    nodeMessage(cause),
  );
}

function isKnown(cause: unknown): boolean {
  return /already (known|imported)/i.test(nodeMessage(cause));
}
