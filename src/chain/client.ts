/** One connection to one chain, with at most one account. Everything else in this folder takes it as first argument. */
import { FetchRequest, type HDNodeWallet, JsonRpcProvider, Network, type Wallet } from 'ethers';
import { PanthaliaError, withoutSecrets } from '../errors.js';
import type { Emit } from '../events/types.js';
import type { Address } from '../protocol/task.js';
import { type Account, type AccountSource, loadAccount } from './accounts.js';
import type { Outbox } from './outbox.js';
import { rpcError } from './rpcError.js';

const requestTimeoutMs = 15_000;

export interface ChainOptions {
  rpcUrl: string;
  account?: AccountSource;
  /** refuse any other chain */
  chainId?: number;
  /** hears of transactions and of trouble with the RPC */
  emit?: Emit;
}

export interface Chain extends Disposable {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly provider: JsonRpcProvider;
  readonly signer: Signer | null;
  readonly emit: Emit;
}

export interface Signer {
  readonly account: Account;
  readonly address: Address;
  /** connected: it can ask for fees */
  readonly wallet: Wallet | HDNodeWallet;
  /** what we sent last; see outbox.ts and resend.ts */
  readonly sent: Outbox;
  /** a nonce of nobody's that transactions of ours wait for, and when that was seen first */
  gap: { nonce: number; sinceMs: number } | null;
  /** Runs one send after the other: each takes the nonce after the last. */
  inOrder<T>(send: () => Promise<T>): Promise<T>;
}

/** Connects and checks the chain id.
 *  throws network/rpc.unreachable, network/chain.wrong_id, and what loadAccount throws */
export async function createChain(options: ChainOptions): Promise<Chain> {
  const request = rpcRequest(options.rpcUrl);
  const chainId = await askChainId(request, options.rpcUrl);
  if (options.chainId !== undefined && options.chainId !== chainId) {
    throw wrongChain(options.chainId, chainId, options.rpcUrl);
  }
  const account = options.account === undefined ? null : await loadAccount(options.account, chainId);
  const provider = providerOf(request, chainId);
  return {
    rpcUrl: options.rpcUrl,
    chainId,
    provider,
    signer: account === null ? null : signerOf(account, provider),
    emit: options.emit ?? (() => {}),
    [Symbol.dispose]: () => provider.destroy(),
  };
}

/** The account that sends.  throws user/account.missing */
export function requireSigner(chain: Chain): Signer {
  if (chain.signer !== null) return chain.signer;
  throw new PanthaliaError('user', 'This needs an account to send transactions from, and none was given.', {
    code: 'account.missing',
    next: 'pass --keystore FILE --password-file FILE, or on a local chain --mnemonic-index N',
  });
}

/** The newest block: the chain's own clock. timestamp: unix seconds */
export async function latestBlock(chain: Chain): Promise<{ number: number; timestamp: number }> {
  try {
    const block = await chain.provider.send('eth_getBlockByNumber', ['latest', false]);
    return { number: Number(block.number), timestamp: Number(block.timestamp) };
  } catch (cause) {
    throw rpcError(cause, chain.rpcUrl);
  }
}

/** After it was away: another chain may answer at the same address.  throws network/chain.wrong_id, network/rpc.* */
export async function checkChainId({ provider, rpcUrl, chainId }: Chain): Promise<void> {
  try {
    const received = Number(await provider.send('eth_chainId', []));
    if (received !== chainId) throw wrongChain(chainId, received, rpcUrl);
  } catch (cause) {
    throw rpcError(cause, rpcUrl);
  }
}

function wrongChain(expected: number, received: number, rpcUrl: string): PanthaliaError {
  const where = withoutSecrets(rpcUrl);
  return new PanthaliaError(
    'network',
    `Chain ${expected} was expected at ${where}, chain ${received} answered.`,
    {
      code: 'chain.wrong_id',
      details: { expected, received, rpcUrl: where },
      next: 'check --rpc-url and the deployment file',
    },
  );
}

function rpcRequest(rpcUrl: string): FetchRequest {
  if (!URL.canParse(rpcUrl) || !/^https?:$/.test(new URL(rpcUrl).protocol)) {
    const received = withoutSecrets(rpcUrl);
    throw new PanthaliaError('usage', `An RPC URL starts with http:// or https://, received "${received}".`, {
      code: 'rpc.bad_url',
      details: { rpcUrl: received },
      next: 'pass --rpc-url http://HOST:PORT',
    });
  }
  const request = new FetchRequest(rpcUrl);
  request.timeout = requestTimeoutMs;
  return request;
}

async function askChainId(request: FetchRequest, rpcUrl: string): Promise<number> {
  const question = request.clone();
  question.body = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] };
  try {
    const answer = await question.send();
    answer.assertOk();
    const chainId = Number(answer.bodyJson.result);
    if (Number.isSafeInteger(chainId)) return chainId;
  } catch (cause) {
    throw rpcError(cause, rpcUrl);
  }
  throw rpcError(new Error('its chain id is not a number'), rpcUrl);
}

function providerOf(request: FetchRequest, chainId: number): JsonRpcProvider {
  const network = Network.from(chainId);
  // cacheTimeout: a cached nonce makes sequential sends fail on a fast chain (ethers-io/ethers.js:issues/4549).
  // staticNetwork: we asked; without it ethers asks again before every call, and retries for ever on the console.
  return new JsonRpcProvider(request, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    pollingInterval: 100,
    batchMaxCount: 1,
  });
}

function signerOf(account: Account, provider: JsonRpcProvider): Signer {
  let last: Promise<unknown> = Promise.resolve();
  return {
    account,
    address: account.address,
    wallet: account.wallet.connect(provider),
    sent: new Map(),
    gap: null,
    inOrder: (send) => {
      const result = last.then(send, send);
      last = result.catch(() => {});
      return result;
    },
  };
}
