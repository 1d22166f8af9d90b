/** A chain of its own for one test file: anvil on a free port, our contracts, funded accounts. */
import { developmentAddresses } from '../../src/chain/accounts.js';
import { type Chain, createChain } from '../../src/chain/client.js';
import { type Contracts, connectContracts } from '../../src/chain/contracts.js';
import { deploy, mintTokens } from '../../src/chain/deploy.js';
import type { Deployment } from '../../src/chain/deployment.js';
import { localParams, noTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import type { Emit, PanthaliaEvent } from '../../src/events/types.js';
import { type Anvil, startAnvil } from '../../src/process/anvil.js';
import type { Address, Hex32 } from '../../src/protocol/task.js';
import type { Terms } from '../../src/protocol/terms.js';

export const testBlockSeconds = 0.1;

export interface TestChain extends AsyncDisposable {
  anvil: Anvil;
  deployment: Deployment;
  /** account 0 */
  deployer: Chain;
  signal: AbortSignal;
}

/** Who a test acts as: a connection with an account, and the contracts through it. */
export interface Actor {
  chain: Chain;
  contracts: Contracts;
  events: PanthaliaEvent[];
  emit: Emit;
}

/** Deploys and mints 10,000 PAN to each of the first 20 accounts. Deadlines are real time, so they are short; nothing is
 *  checked unless a test says so. */
export async function startTestChain(
  params: Partial<SubnetParams> = {},
  blockTimeSeconds = testBlockSeconds,
): Promise<TestChain> {
  const stop = new AbortController();
  const anvil = await startAnvil({ blockTimeSeconds, keepsHistory: true });
  const signal = stop.signal;
  try {
    const deployer = await createChain({ rpcUrl: anvil.rpcUrl, account: { mnemonicIndex: 0 } });
    const deployment = await deploy({
      chain: deployer,
      params: localParams({ ...noTaskChecked, ...params }),
      metadataHash: `0x${'11'.repeat(32)}`,
      signal,
    });
    const accounts = developmentAddresses(20);
    await mintTokens(deployer, deployment, { accounts, amount: pan(10_000), signal });
    return {
      anvil,
      deployment,
      deployer,
      signal,
      [Symbol.asyncDispose]: async () => {
        stop.abort(new Error('the test is over'));
        deployer[Symbol.dispose]();
        await anvil.stop();
      },
    };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

/** Lets the clock of the chain run ahead: windows pass without anybody having to be faster than them. */
export async function skip({ deployer }: TestChain, seconds: number): Promise<void> {
  await deployer.provider.send('evm_increaseTime', [seconds]);
}

/** Terms of one task in slot 0 that `buyer` could post, with hashes that name nothing. */
export function testTerms(subnetId: number, buyer: Address): Terms {
  const some: Hex32 = `0x${'22'.repeat(32)}`;
  return {
    ...{ buyer, price: pan(10), subnetId, paramsVersion: 1, round: 0, innerSteps: 4 },
    ...{ jobId: some, baseRoot: some, specHash: some, slots: 1n, salt: 0 },
  };
}

/** onEvent: hears each event in the moment it happens */
export async function actor(
  { anvil, deployment }: TestChain,
  mnemonicIndex: number,
  onEvent: (event: PanthaliaEvent) => void = () => {},
): Promise<Actor> {
  const events: PanthaliaEvent[] = [];
  const emit = (event: PanthaliaEvent) => {
    events.push(event);
    onEvent(event);
  };
  const chain = await createChain({ rpcUrl: anvil.rpcUrl, account: { mnemonicIndex }, emit });
  return { chain, contracts: connectContracts(chain, deployment), events, emit };
}
