/** The contracts on a chain that runs already. */
import { type AccountSource, developmentAddresses } from '../chain/accounts.js';
import { createChain } from '../chain/client.js';
import { deploy, mintTokens } from '../chain/deploy.js';
import { checkWritable, type Deployment, writeDeployment } from '../chain/deployment.js';
import { localParams, pan, type SubnetParams } from '../chain/params.js';
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
  emit: Emit;
  signal: AbortSignal;
}

/** No computation is bound to this subnet yet: its metadata hash is zero. */
const noMetadata = `0x${'0'.repeat(64)}` as const;

/** throws what createChain, deploy and writeDeployment throw, usage/deploy.fund_elsewhere */
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
  using chain = await createChain({ rpcUrl, chainId, account: options.account(chainId), emit });
  const params = localParams(options.params);
  const deployment = await deploy({ chain, params, metadataHash: noMetadata, signal });
  if (fund) {
    await mintTokens(chain, deployment, { accounts: developmentAddresses(40), amount: pan(10_000), signal });
  }
  await writeDeployment(out, deployment);
  return deployment;
}

async function chainAt(rpcUrl: string): Promise<{ chainId: number }> {
  using chain = await createChain({ rpcUrl });
  return { chainId: chain.chainId };
}
