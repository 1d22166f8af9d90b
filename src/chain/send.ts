/** One transaction: simulate, send, wait, and say in one sentence why a contract refused. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Interface, type Log, Transaction, type TransactionReceipt } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { type Chain, requireSigner, type Signer } from './client.js';
import { keepSent, type Place, requirePlace, sendDroppedAgain } from './resend.js';
import { decodeRevert, revertData } from './revert.js';
import { isUnreachable, rpcError } from './rpcError.js';

/** The estimate holds for the state it was made on, and others change it before we are mined: of three reveals in one block,
 *  each estimated alone, the last one also counts the votes. Gas that is not used is not paid. */
const gasMarginPercent = 140n;
const gasMargin = 1_000_000n;
const receiptDeadlineMs = 120_000;
const receiptPollMs = 100;
/** Without a receipt for so long, we look whether the node still has the transaction. */
const lookEveryMs = 3_000;
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
 *  throws reverted/contract.<ErrorName>, user/account.no_funds, network/rpc.unreachable, deadline/transaction.not_mined,
 *  network/transaction.replaced, network/transaction.nonce_gap */
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

interface Request {
  to?: Address;
  data: string;
  gasLimit?: bigint;
}

async function sendRequest(chain: Chain, what: string, request: Request, signal: AbortSignal): Promise<Sent> {
  const signer = requireSigner(chain);
  signal.throwIfAborted();
  try {
    const gasLimit = request.gasLimit ?? (await estimateOnAll(chain, request, signer));
    const { hash, nonce } = await signer.inOrder(() => handOver(chain, signer, { ...request, gasLimit }));
    const confirmed = () =>
      confirm(chain, what, { ...request, from: signer.address }, { hash, nonce }, signal);
    return { hash, confirmed };
  } catch (cause) {
    throw translate(chain, what, cause);
  }
}

/** What a contract refuses may be built on a transaction of ours that a reorganisation has dropped. */
async function estimateOnAll(chain: Chain, request: Request, signer: Signer): Promise<bigint> {
  try {
    return await estimateGas(chain, request, signer.address);
  } catch (cause) {
    if (revertData(cause) === null || !(await sendDroppedAgain(chain, signer))) throw cause;
    return await estimateGas(chain, request, signer.address);
  }
}

async function estimateGas(chain: Chain, { to, data }: Request, from: Address): Promise<bigint> {
  // ethers' own estimate names no block, and nodes differ in what they take then; pending sees our earlier transactions.
  const gas: string = await chain.provider.send('eth_estimateGas', [{ from, to, data }, 'pending']);
  return (BigInt(gas) * gasMarginPercent) / 100n + gasMargin;
}

async function confirm(
  chain: Chain,
  what: string,
  request: Request & { from: Address },
  { hash, nonce }: Place,
  signal: AbortSignal,
): Promise<Receipt> {
  signal.throwIfAborted();
  try {
    const receipt = await waitForReceipt(chain, { hash, nonce }, signal);
    if (receipt.status === 0) await throwReason(chain, request, receipt);
    chain.emit({ type: 'transaction.sent', what, hash, gasUsed: receipt.gasUsed });
    return {
      hash,
      blockNumber: receipt.blockNumber,
      gasUsed: receipt.gasUsed,
      logs: receipt.logs,
      contractAddress: receipt.contractAddress as Address | null,
    };
  } catch (cause) {
    throw translate(chain, what, cause);
  }
}

/** Hands the transaction to the node. Another process that sends from the same account moves the nonce under us: then the
 *  count is read again, and everybody hears of it. */
async function handOver(
  chain: Chain,
  signer: Signer,
  request: Request & { gasLimit: bigint },
): Promise<Place> {
  for (let attempt = 1; ; attempt++) {
    try {
      const taken = await signer.nonces.sendTransaction(request);
      keepSent(signer, taken.nonce, Transaction.from(taken).serialized);
      return { hash: taken.hash as Hex32, nonce: taken.nonce };
    } catch (cause) {
      // NonceManager counted this send although it did not happen.
      signer.nonces.reset();
      if (!isStaleNonce(cause) || attempt === nonceAttempts) throw cause;
      const message = `Another process sends from ${signer.address}; reading its nonce again.`;
      chain.emit({ type: 'alert', level: 'warn', message, code: 'transaction.stale_nonce' });
    }
  }
}

/** Asks for the receipt until there is one, and sends again what the node has lost in the meantime.
 *  throws deadline/transaction.not_mined, network/transaction.replaced, network/transaction.nonce_gap */
async function waitForReceipt(
  chain: Chain,
  { hash, nonce }: Place,
  signal: AbortSignal,
): Promise<TransactionReceipt> {
  const signer = requireSigner(chain);
  const giveUpAtMs = Date.now() + receiptDeadlineMs;
  let lookAtMs = Date.now() + lookEveryMs;
  while (Date.now() < giveUpAtMs) {
    signal.throwIfAborted();
    const receipt = await chain.provider.getTransactionReceipt(hash).catch((cause) => {
      // The transaction is on its way whether the node answers now or not.
      if (isUnreachable(rpcError(cause, chain.rpcUrl))) return null;
      throw cause;
    });
    if (receipt !== null) return receipt;
    if (Date.now() >= lookAtMs) {
      if (!(await sendDroppedAgain(chain, signer))) await requirePlace(chain, signer, { hash, nonce });
      lookAtMs = Date.now() + lookEveryMs;
    }
    await delay(receiptPollMs, undefined, { signal });
  }
  throw new PanthaliaError(
    'deadline',
    `Transaction ${hash} was not mined within ${receiptDeadlineMs / 1000} s.`,
    { code: 'transaction.not_mined', details: { hash }, next: 'check that the chain makes blocks' },
  );
}

async function throwReason(
  chain: Chain,
  request: Request & { from: Address },
  receipt: TransactionReceipt,
): Promise<never> {
  await chain.provider.call({ ...request, blockTag: receipt.blockNumber });
  throw new PanthaliaError(
    'reverted',
    `Transaction ${receipt.hash} failed in block ${receipt.blockNumber}, and a repetition of the call succeeds.`,
    { code: 'transaction.failed', details: { hash: receipt.hash, gasUsed: receipt.gasUsed } },
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

function isStaleNonce(cause: unknown): boolean {
  const { code, message } = cause as { code?: string; message?: string };
  return (
    code === 'NONCE_EXPIRED' ||
    code === 'REPLACEMENT_UNDERPRICED' ||
    /nonce too (low|high)|replacement transaction underpriced|already (known|imported)/i.test(message ?? '')
  );
}
