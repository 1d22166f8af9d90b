/** The only way our contracts get onto a chain: used by the CLI, simulate and the tests. */
import { AbiCoder, concat, getCreateAddress, Interface, type InterfaceAbi } from 'ethers';
import { PanthaliaError } from '../errors.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { registryAbi } from './abi.generated.js';
import { type Chain, requireSigner } from './client.js';
import { contractBytecode } from './compile.js';
import { connectContracts } from './contracts.js';
import type { ContractName, Deployment } from './deployment.js';
import { pan, type SubnetParams } from './params.js';
import { type Receipt, type Sent, sendCreation } from './send.js';

export interface DeployOptions {
  chain: Chain;
  params: SubnetParams;
  /** hash of what defines the computation off chain */
  metadataHash: Hex32;
  /** blocks per epoch */
  epochLength?: number;
  /** blocks from the start of an epoch to the block that seeds the one before */
  seedDelay?: number;
  /** seconds that no window of a subnet may be shorter than: longer than it takes to the next seed and two transactions after it;
   *  default 1, for a development chain that makes a block in a fraction of that */
  leastWindow?: number;
  /** what the deployer puts down for the subnet, token units; default 100 tokens */
  subnetBond?: bigint;
  sotUrl?: string;
  signal: AbortSignal;
}

/** Deploys the contracts and opens the subnet. Every address is known before the first transaction, so the wiring is
 *  immutable; nothing is usable until all are there.
 *  throws build/*, reverted/*, user/account.no_funds, error/deploy.nonce_moved */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { chain, signal, sotUrl } = options;
  const bytecode = await contractBytecode(signal);
  const deployer = requireSigner(chain);
  const nonce = await deployer.wallet.getNonce('pending');
  const contracts = predictAddresses(deployer.address, nonce);
  const sent: { name: ContractName; sent: Sent }[] = [];
  for (const { name, args } of constructorCalls(contracts, deployer.address, options)) {
    const data = concat([bytecode[name], AbiCoder.defaultAbiCoder().encode(args.types, args.values)]);
    sent.push({ name, sent: await sendCreation(chain, `deploy ${name}`, data, signal) });
  }
  const blocks: number[] = [];
  for (const { name, sent: creation } of sent) {
    const receipt = await creation.confirmed();
    if (receipt.contractAddress !== contracts[name]) throw nonceMoved(name, contracts[name], receipt);
    blocks.push(receipt.blockNumber);
  }
  const subnetId = await createSubnet(options, contracts);
  return {
    schema: 'panthalia-deployment/1',
    chainId: chain.chainId,
    rpcUrl: chain.rpcUrl,
    sotUrl: sotUrl ?? null,
    block: Math.min(...blocks),
    subnetId,
    contracts,
  };
}

/** Gives each account `amount` of the token, in one go. The chain's account must be the token's minter. */
export async function mintTokens(
  chain: Chain,
  deployment: Pick<Deployment, 'contracts'>,
  options: { accounts: readonly Address[]; amount: bigint; signal: AbortSignal },
): Promise<void> {
  const { token } = connectContracts(chain, deployment);
  const sent: Sent[] = [];
  for (const account of options.accounts) {
    sent.push(await token.send('mint', [account, options.amount], options.signal));
  }
  for (const mint of sent) await mint.confirmed();
}

const defaultSubnetBond = pan(100);

const order: readonly ContractName[] = [
  ...(['token', 'registry', 'beacon', 'vault', 'staking', 'market', 'court', 'challenge'] as const),
  ...(['audit', 'reputation', 'states', 'lens'] as const),
];

function predictAddresses(from: Address, nonce: number): Record<ContractName, Address> {
  const entries = order.map((name, i) => [name, getCreateAddress({ from, nonce: nonce + i })]);
  return Object.fromEntries(entries) as Record<ContractName, Address>;
}

interface ConstructorCall {
  name: ContractName;
  args: { types: string[]; values: unknown[] };
}

function constructorCalls(
  contracts: Record<ContractName, Address>,
  minter: Address,
  { epochLength = 4, seedDelay = 0, subnetBond = defaultSubnetBond, leastWindow = 1 }: DeployOptions,
): ConstructorCall[] {
  const { token, vault, registry, staking, beacon, market, court, challenge, audit, reputation } = contracts;
  const addresses = (...values: Address[]) => ({ types: values.map(() => 'address'), values });
  const wiring: Record<ContractName, ConstructorCall['args']> = {
    token: addresses(minter),
    registry: {
      types: ['address', 'address', 'uint256', 'uint32'],
      values: [vault, beacon, subnetBond, leastWindow],
    },
    beacon: { types: ['uint256', 'uint256'], values: [epochLength, seedDelay] },
    vault: addresses(token, registry, staking, market, court, challenge, audit),
    staking: addresses(vault, registry, beacon, market, court, audit),
    market: addresses(vault, registry, staking, beacon, court, challenge, audit, reputation),
    court: addresses(vault, registry, staking, beacon, market, challenge),
    challenge: addresses(vault, registry, market, court),
    audit: addresses(vault, registry, staking, beacon, market, reputation),
    reputation: addresses(market, audit),
    states: addresses(market),
    lens: addresses(vault, registry, staking, beacon, market, court, challenge, audit),
  };
  return order.map((name) => ({ name, args: wiring[name] }));
}

/** The deployer is the token's minter, and pays the bond. */
async function createSubnet(
  { chain, params, metadataHash, subnetBond = defaultSubnetBond, signal }: DeployOptions,
  contracts: Record<ContractName, Address>,
): Promise<number> {
  const { token, vault, registry } = connectContracts(chain, { contracts });
  // Each is estimated on top of the ones before, so none of them is waited for.
  const payment = [
    await token.send('mint', [requireSigner(chain).address, subnetBond], signal),
    await token.send('approve', [vault.address, subnetBond], signal),
    await vault.send('deposit', [subnetBond], signal),
  ];
  const { logs } = await registry.write('createSubnet', [params, metadataHash], signal);
  for (const sent of payment) await sent.confirmed();
  const face = new Interface(registryAbi as unknown as InterfaceAbi);
  const created = logs.map((log) => face.parseLog(log)).find((event) => event?.name === 'SubnetCreated');
  return Number(created?.args.subnetId);
}

function nonceMoved(name: ContractName, expected: Address, receipt: Receipt): PanthaliaError {
  return new PanthaliaError(
    'error',
    `${name} was expected at ${expected} and is at ${receipt.contractAddress}: another process sent from the deployer's account.`,
    {
      code: 'deploy.nonce_moved',
      details: { name, expected, received: receipt.contractAddress },
      next: 'deploy again, with no other process using this account',
    },
  );
}
