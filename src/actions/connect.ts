/** From a deployment file and an account to what a role is given. */
import type { AccountSource } from '../chain/accounts.js';
import { createChain } from '../chain/client.js';
import { connectContracts } from '../chain/contracts.js';
import { readDeployment } from '../chain/deployment.js';
import { followMarket, type MarketFollower } from '../chain/follow.js';
import { requestSigner } from '../chain/requestSigner.js';
import { createBlobClient } from '../data/blobClient.js';
import { PanthaliaError } from '../errors.js';
import type { Emit } from '../events/types.js';
import { untilAborted } from '../process/untilAborted.js';
import type { RoleContext } from '../roles/context.js';

export interface ConnectOptions {
  /** path of the deployment file */
  deployment: string;
  /** in place of the deployment's */
  rpcUrl?: string;
  sotUrl?: string;
  /** decided when the chain is known; without one nothing can be sent */
  account?: (chainId: number) => AccountSource;
  emit: Emit;
  /** hears of the view of the market that the role works from */
  onMarket?: (market: MarketFollower) => void;
  signal: AbortSignal;
}

const greetingPatienceMs = 5_000;

/** Connects to chain and SOT and reads the market's history; `using` it lets go of the chain.
 *  throws config/deployment.*, config/sot.unknown, network/*, user/account.* */
export async function connectRole(options: ConnectOptions): Promise<RoleContext & Disposable> {
  const context = await connectWithoutSot(options);
  const url = options.sotUrl ?? context.deployment.sotUrl;
  if (url === null) {
    context[Symbol.dispose]();
    throw new PanthaliaError('config', `The deployment ${options.deployment} names no Source of Truth.`, {
      code: 'sot.unknown',
      next: 'pass --sot-url URL',
    });
  }
  const { emit } = options;
  try {
    const sot = createBlobClient({
      url,
      sign: context.chain.signer === null ? undefined : requestSigner(context.chain, context.deployment),
      onTransfer: ({ direction, ...transfer }) =>
        emit({ type: direction === 'up' ? 'blob.pushed' : 'blob.pulled', ...transfer }),
    });
    // One that never answers would otherwise be noticed only when the first task is drawn.
    await createBlobClient({ url, patienceMs: greetingPatienceMs }).latestVersion({ signal: options.signal });
    return { ...context, sot };
  } catch (error) {
    context[Symbol.dispose]();
    throw error;
  }
}

/** The same for whoever serves blobs, or only looks. */
export async function connectWithoutSot(
  options: ConnectOptions,
): Promise<Omit<RoleContext, 'sot'> & Disposable> {
  const { emit, signal } = options;
  signal.throwIfAborted();
  const deployment = await readDeployment(options.deployment);
  const account = options.account?.(deployment.chainId);
  // The view of the market outlives the first signal: a role that drains still has to see what happens.
  const closing = new AbortController();
  const chain = await createChain({
    rpcUrl: options.rpcUrl ?? deployment.rpcUrl,
    chainId: deployment.chainId,
    // A request that was in flight when the connection closed has no news for anybody.
    emit: (event) => closing.signal.aborted || emit(event),
    ...(account === undefined ? {} : { account }),
  });
  const dispose = () => {
    closing.abort(new Error('the connection is closed'));
    chain[Symbol.dispose]();
  };
  try {
    const contracts = connectContracts(chain, deployment);
    // A chain that was started anew has nothing of ours, nor the block whose facts would be waited for.
    await contracts.beacon.read('epochLength', []);
    const market = await untilAborted(followMarket({ chain, deployment, signal: closing.signal }), signal);
    options.onMarket?.(market);
    return { chain, deployment, contracts, market, emit, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
