/** The contracts on a chain that runs already. */
import { type AccountSource, developmentAddresses } from '../chain/accounts.js';
import { createChain } from '../chain/client.js';
import { deploy, mintTokens } from '../chain/deploy.js';
import { checkWritable, type Deployment, writeDeployment } from '../chain/deployment.js';
import { localParams, pan, type SubnetParams, widened } from '../chain/params.js';
import { PanthaliaError } from '../errors.js';
import type { Emit } from '../events/types.js';
import { developmentChainId } from '../process/anvil.js';

export interface DeployToOptions {
  rpcUrl: string;
  account: (chainId: number) => AccountSource;
  /** path of the deployment file */
  out: string;
  /** mint to the development accounts */
  fund: boolean;
  params: Partial<SubnetParams>;
  /** seconds that no window of a subnet may be shorter than; default 1 on a development chain, and none elsewhere */
  leastWindow?: number;
  emit: Emit;
  signal: AbortSignal;
}

/** No computation is bound to this subnet yet: its metadata hash is zero. */
const noMetadata = `0x${'0'.repeat(64)}` as const;

/** throws what createChain, deploy and writeDeployment throw, usage/deploy.fund_elsewhere, usage/deploy.no_least_window,
 *  usage/deploy.window_too_short */
export async function deployTo(options: DeployToOptions): Promise<Deployment> {
  const { rpcUrl, out, fund, emit, signal } = options;
  await checkWritable(out);
  const { chainId } = await chainAt(rpcUrl);
  if (fund && chainId !== developmentChainId) {
    throw new PanthaliaError(
      'usage',
      `Development accounts are funded on chain ${developmentChainId} only, this is chain ${chainId}.`,
      { code: 'deploy.fund_elsewhere', next: 'leave out --fund' },
    );
  }
  const leastWindow = leastWindowOn(chainId, options.leastWindow);
  const params = paramsWithin(leastWindow, options.params);
  using chain = await createChain({ rpcUrl, chainId, account: options.account(chainId), emit });
  const deployment = await deploy({ chain, params, leastWindow, metadataHash: noMetadata, signal });
  if (fund) {
    await mintTokens(chain, deployment, { accounts: developmentAddresses(40), amount: pan(10_000), signal });
  }
  await writeDeployment(out, deployment);
  return deployment;
}

/** What is too short is never made longer again, and a subnet of a stranger may use all of it. */
function leastWindowOn(chainId: number, given: number | undefined): number {
  if (given !== undefined) return given;
  if (chainId === developmentChainId) return 1;
  throw new PanthaliaError(
    'usage',
    `The least window of chain ${chainId} was expected, none was given: only chain ${developmentChainId} has a default.`,
    {
      code: 'deploy.no_least_window',
      details: { chainId },
      next: 'pass --least-window SECONDS, more than from one seed to the next and two transactions',
    },
  );
}

/** The windows of a development chain, as long as they must be.  throws usage/deploy.window_too_short */
function paramsWithin(leastWindow: number, change: Partial<SubnetParams>): SubnetParams {
  const { challengeSeconds } = change;
  if (challengeSeconds !== undefined && challengeSeconds < leastWindow) {
    throw new PanthaliaError(
      'usage',
      `A challenge window of at least ${leastWindow} seconds was expected, received ${challengeSeconds}.`,
      {
        code: 'deploy.window_too_short',
        details: { leastWindow, received: challengeSeconds },
        next: `pass --challenge-seconds ${leastWindow} or more, or a shorter --least-window`,
      },
    );
  }
  return widened(localParams(change), leastWindow);
}

async function chainAt(rpcUrl: string): Promise<{ chainId: number }> {
  using chain = await createChain({ rpcUrl });
  return { chainId: chain.chainId };
}
