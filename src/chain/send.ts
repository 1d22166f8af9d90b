/** One transaction: simulate, send, wait, and say in one sentence why a contract refused. */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Interface, Log, TransactionReceipt } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { type Chain, requireSigner, type Signer } from './client.js';
import { whoUsed } from './nonceUse.js';
import {
  broadcast,
  freeNonce,
  isHopeless,
  isStaleNonce,
  isTooSoon,
  newest,
  prepare,
  type Sending,
  type SendRequest,
} from './outbox.js';
import { lookEveryMs, raiseFees, requireNonce, sendDroppedAgain } from './resend.js';
import { decodeRevert, revertData } from './revert.js';
import { isUnreachable, nodeMessage, rpcError } from './rpcError.js';

/** The estimate holds for the state it was made on, and others change it before we are mined: of three reveals in one block,
 *  each estimated alone, the last one also counts the votes. Gas that is not used is not paid. */
const gasMarginPercent = 140n;
const gasMargin = 1_000_000n;
/** By which two transactions differ that are alike in all else. */
const unlikeGas = 10_000;
const receiptDeadlineMs = 120_000;
const receiptPollMs = 100;
const nonceAttempts = 3;

export interface ContractCall {
  address: Address;
  face: Interface;
  name: string;
  args: readonly unknown[];
  /** instead of an estimate, which is too low for calls that catch the failures of inner calls */
  gasLimit?: bigint;
}

export interface Receipt {
  hash: Hex32;
  blockNumber: number;
  gasUsed: bigint;
  logs: readonly Log[];
  /** of a creation */
  contractAddress: Address | null;
}

/** A transaction the node has accepted. */
export interface Sent {
  hash: Hex32;
  /** Waits until it is in a block.  throws as transact */
  confirmed(): Promise<Receipt>;
}

/** Sends `call` from the chain's account and waits until it is in a block.
 *  throws reverted/contract.<ErrorName>, reverted/transaction.failed, user/account.no_funds, network/rpc.unreachable,
 *  deadline/transaction.not_mined, network/transaction.replaced */
export async function transact(chain: Chain, call: ContractCall, signal: AbortSignal): Promise<Receipt> {
  const sent = await sendCall(chain, call, signal);
  return sent.confirmed();
}

/** Simulates and hands over `call` without waiting for a block. The simulation sees what this account sent before. */
export function sendCall(chain: Chain, call: ContractCall, signal: AbortSignal): Promise<Sent> {
  const data = call.face.encodeFunctionData(call.name, call.args);
  const gas = call.gasLimit === undefined ? {} : { gasLimit: call.gasLimit };
  return sendRequest(chain, call.name, { to: call.address, data, ...gas }, signal);
}

/** The same for a contract's creation code with its encoded arguments. */
export function sendCreation(chain: Chain, what: string, data: string, signal: AbortSignal): Promise<Sent> {
  return sendRequest(chain, what, { data }, signal);
}

async function sendRequest(
  chain: Chain,
  what: string,
  request: SendRequest,
  signal: AbortSignal,
): Promise<Sent> {
  const signer = requireSigner(chain);
  signal.throwIfAborted();
  try {
    const sending = (await takenUpAgain(chain, signer, request)) ?? (await sendNew(chain, signer, request));
    const confirmed = () => confirm(chain, what, sending, signal);
    return { hash: newest(sending).hash, confirmed };
  } catch (cause) {
    throw translate(chain, what, cause);
  }
}

/** The same call, sent before and still on its way, that nobody waits for any more: to send another one would make it happen twice. */
async function takenUpAgain(
  { provider }: Chain,
  { address, sent }: Signer,
  { to, data }: SendRequest,
): Promise<Sending | null> {
  const isSame = ({ abandoned, request }: Sending) => abandoned && request.to === to && request.data === data;
  const found = [...sent.values()].find(isSame);
  if (found === undefined) return null;
  // Claimed before anything is waited for: the same call may be made twice at once.
  found.abandoned = false;
  let isMined = true;
  try {
    isMined = (await provider.getTransactionCount(address, 'latest')) > found.nonce;
  } finally {
    found.abandoned = isMined;
  }
  return isMined ? null : found;
}

async function sendNew(chain: Chain, signer: Signer, request: SendRequest): Promise<Sending> {
  const gasLimit = request.gasLimit ?? (await estimateOnAll(chain, request, signer));
  // Another process of this account may make the same call at the same nonce: the node would take the two for one.
  const unlike = BigInt(randomInt(unlikeGas));
  return signer.inOrder(() => handOver(chain, signer, { ...request, gasLimit: gasLimit + unlike }));
}

/** What a contract refuses may be built on a transaction of ours that a reorganisation has dropped. */
async function estimateOnAll(chain: Chain, request: SendRequest, signer: Signer): Promise<bigint> {
  try {
    return await estimateGas(chain, request, signer.address);
  } catch (cause) {
    if (revertData(cause) === null || !(await sendDroppedAgain(chain, signer))) throw cause;
    return await estimateGas(chain, request, signer.address);
  }
}

async function estimateGas(chain: Chain, { to, data }: SendRequest, from: Address): Promise<bigint> {
  // ethers' own estimate names no block, and nodes differ in what they take then; pending sees our earlier transactions.
  const gas: string = await chain.provider.send('eth_estimateGas', [{ from, to, data }, 'pending']);
  return (BigInt(gas) * gasMarginPercent) / 100n + gasMargin;
}

async function confirm(chain: Chain, what: string, sending: Sending, signal: AbortSignal): Promise<Receipt> {
  try {
    const receipt = await waitForReceipt(chain, sending, signal);
    if (receipt.status === 0) await throwReason(chain, sending, receipt);
    const hash = receipt.hash as Hex32;
    chain.emit({ type: 'transaction.sent', what, hash, gasUsed: receipt.gasUsed });
    return {
      hash,
      blockNumber: receipt.blockNumber,
      gasUsed: receipt.gasUsed,
      logs: receipt.logs,
      contractAddress: receipt.contractAddress as Address | null,
    };
  } catch (cause) {
    sending.abandoned = true;
    if (signal.aborted) tellLeft(chain, what, sending);
    throw translate(chain, what, cause);
  }
}

/** The outbox ends with the process: the next one knows nothing of it. */
function tellLeft(chain: Chain, what: string, sending: Sending): void {
  const { hash } = newest(sending);
  const message = `Nobody waits any more for ${what}, transaction ${hash} with nonce ${sending.nonce}, which may still be mined: see panthalia status ${requireSigner(chain).address} before you do the same again.`;
  chain.emit({ type: 'alert', level: 'warn', message, code: 'transaction.left' });
}

/** Hands the transaction to the node. Another process that sends from the same account moves the nonce under us: then the
 *  count is read again, and everybody hears of it. */
async function handOver(chain: Chain, signer: Signer, request: SendRequest): Promise<Sending> {
  let least = 0;
  for (let attempt = 1; ; attempt++) {
    const { nonce, unseen } = await freeNonce(chain, signer, least);
    const sending = await prepare(signer, nonce, request);
    const refusal = await broadcast(chain, sending);
    if (refusal === null || isTooSoon(refusal)) {
      // Whoever waited for these has its receipt, and does not look any more whether a reorganisation has dropped them.
      for (const earlier of unseen) await broadcast(chain, earlier);
      return sending;
    }
    // A service that repeats a request by itself refuses the second and has taken the first.
    if (isStaleNonce(refusal) && (await whoUsed(chain, signer.address, nonce)) === newest(sending).hash)
      return sending;
    signer.sent.delete(nonce);
    if (!isStaleNonce(refusal) || attempt === nonceAttempts) throw refusal;
    least = nonce + 1;
    const message = `Another process sends from ${signer.address}; reading its nonce again.`;
    chain.emit({ type: 'alert', level: 'warn', message, code: 'transaction.stale_nonce' });
  }
}

/** Asks for the receipt until there is one, and sends again what the node has lost in the meantime.
 *  throws deadline/transaction.not_mined, network/transaction.replaced */
async function waitForReceipt(
  chain: Chain,
  sending: Sending,
  signal: AbortSignal,
): Promise<TransactionReceipt> {
  const giveUpAtMs = Date.now() + receiptDeadlineMs;
  let lookAtMs = Date.now() + lookEveryMs;
  while (Date.now() < giveUpAtMs) {
    signal.throwIfAborted();
    const receipt = await receiptOf(chain, sending);
    if (receipt !== null) return receipt;
    if (Date.now() >= lookAtMs) {
      await lookAfter(chain, sending);
      lookAtMs = Date.now() + lookEveryMs;
    }
    await delay(receiptPollMs, undefined, { signal });
  }
  const { hash } = newest(sending);
  const { nonce } = sending;
  const said = sending.refusal === null ? '' : ` The node says: ${nodeMessage(sending.refusal)}.`;
  throw new PanthaliaError(
    'deadline',
    `Transaction ${hash} with nonce ${nonce} was not mined within ${receiptDeadlineMs / 1000} s, and may still be.${said}`,
    {
      code: 'transaction.not_mined',
      details: { hash, nonce },
      next: `panthalia status ${requireSigner(chain).address}   before the same command again, which may do it twice`,
    },
  );
}

/** Of whichever version came into a block. */
async function receiptOf(chain: Chain, { signed }: Sending): Promise<TransactionReceipt | null> {
  for (const { hash } of signed.toReversed()) {
    const receipt = await chain.provider.getTransactionReceipt(hash).catch((cause) => {
      // The transaction is on its way whether the node answers now or not.
      if (isUnreachable(rpcError(cause, chain.rpcUrl))) return null;
      throw cause;
    });
    if (receipt !== null) return receipt;
  }
  return null;
}

async function lookAfter(chain: Chain, sending: Sending): Promise<void> {
  const signer = requireSigner(chain);
  try {
    // Some nodes drop what has become too cheap.
    await raiseFees(chain, signer);
    const isSentAgain = await sendDroppedAgain(chain, signer);
    if (isHopeless(sending.refusal)) throw sending.refusal;
    if (!isSentAgain) await requireNonce(chain, signer, sending);
  } catch (cause) {
    if (!isUnreachable(rpcError(cause, chain.rpcUrl))) throw cause;
  }
}

async function throwReason(
  chain: Chain,
  { request: { to, data, gasLimit } }: Sending,
  { hash, blockNumber, gasUsed }: TransactionReceipt,
): Promise<never> {
  // Without the limit: whether it was too low is part of the question.
  const from = requireSigner(chain).address;
  await chain.provider.call({ from, data, ...(to === undefined ? {} : { to }), blockTag: blockNumber });
  throw new PanthaliaError(
    'reverted',
    `Transaction ${hash} failed in block ${blockNumber} with ${gasUsed} of ${gasLimit} gas, and a repetition of the call succeeds.`,
    { code: 'transaction.failed', details: { hash, gasUsed, gasLimit } },
  );
}

/** ethers' error -> ours. */
export function translate(chain: Chain, what: string, cause: unknown): unknown {
  if (cause instanceof PanthaliaError) return cause;
  if (isAbort(cause)) return cause;
  const data = revertData(cause);
  if (data !== null) return decodeRevert(what, data, cause);
  if (
    (cause as { code?: string }).code === 'INSUFFICIENT_FUNDS' ||
    /insufficient funds/i.test(String(cause))
  ) {
    const address = chain.signer?.address;
    return new PanthaliaError(
      'user',
      `Account ${address} has too little of the chain's coin to pay for gas.`,
      {
        code: 'account.no_funds',
        details: { address, what },
        next: 'send some to this address, or use another account',
        cause,
      },
    );
  }
  return rpcError(cause, chain.rpcUrl);
}

function isAbort(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === 'AbortError' || cause.name === 'TimeoutError');
}
