/** A chain of its own for a run: anvil, our contracts, and accounts with something in them. */
import { developmentAddresses } from '../chain/accounts.js';
import { type Chain, createChain } from '../chain/client.js';
import { type Contracts, connectContracts } from '../chain/contracts.js';
import { deploy, mintTokens } from '../chain/deploy.js';
import type { Deployment } from '../chain/deployment.js';
import {
  everyTaskChecked,
  localParams,
  marketTerms,
  noTaskChecked,
  pan,
  type SubnetParams,
} from '../chain/params.js';
import { askPatiently, watchBlocks } from '../chain/watch.js';
import type { RunConfig } from '../config/schema.js';
import type { Emit } from '../events/types.js';
import { startAnvil } from '../process/anvil.js';
import type { Leash } from '../process/leash.js';
import { exitError } from '../process/supervise.js';
import type { Address, Hex32 } from '../protocol/task.js';
import type { AuditPolicy } from '../protocol/unaskedAudits.js';
import type { Deadlines } from './deadlines.js';
import type { RunFolder } from './runFolder.js';
import { termsTeller } from './tellTerms.js';

/** Who is who among anvil's accounts. Commands typed by hand get index 9 (cli/options.ts) or any later one. */
export const accountIndex = {
  deployer: 0,
  sot: 1,
  master: 2,
  worker: (i: number) => (i < 6 ? 3 + i : 4 + i),
};

/** Names of the processes that sign, and their addresses. */
export function accountsOf(workers: number): Record<string, Address> {
  const addresses = developmentAddresses(accountCount);
  const indices: [string, number][] = [
    ['sot', accountIndex.sot],
    ['master', accountIndex.master],
    ...Array.from({ length: workers }, (_, i): [string, number] => [`worker_${i}`, accountIndex.worker(i)]),
  ];
  return Object.fromEntries(indices.map(([name, index]) => [name, addresses[index] as Address]));
}

const accountCount = 40;
const startingTokens = 10_000n;
/** price of a task, and fee of a check of it */
const slotTokens = 20n;

/** How often verifiers are drawn to check, beside those who look unasked. */
const checksOf: Record<AuditPolicy, Partial<SubnetParams>> = {
  never: noTaskChecked,
  assigned: {},
  all: {},
  drawn: everyTaskChecked,
};

export interface LocalChainOptions {
  config: RunConfig;
  deadlines: Deadlines;
  jobId: Hex32;
  folder: RunFolder;
  leash: Leash;
  emit: Emit;
  /** anvil is gone although nobody stopped it */
  onLost: (error: unknown) => void;
  signal: AbortSignal;
}

export interface LocalChain extends AsyncDisposable {
  readonly chain: Chain;
  readonly contracts: Contracts;
  readonly deployment: Deployment;
}

/** throws process.port_in_use, build/*, and what deploying throws; then nothing is left running */
export async function startLocalChain(options: LocalChainOptions): Promise<LocalChain> {
  const { config, folder, leash, emit, signal } = options;
  const anvil = await startAnvil({
    port: config.chain.rpcPort,
    blockTimeSeconds: config.chain.blockSeconds,
    accounts: accountCount,
    statePath: folder.chainState,
    logPath: folder.log('anvil'),
    leash,
  });
  emit({ type: 'process.started', process: 'anvil', pid: anvil.child.pid });
  emit({ type: 'process.ready', process: 'anvil', url: anvil.rpcUrl });
  let isStopping = false;
  void anvil.child.exited.then((exit) => {
    emit({ type: 'process.exited', process: 'anvil', ...exit });
    if (!isStopping) options.onLost(exitError(anvil.child, exit));
  });
  const stop = async () => {
    isStopping = true;
    await anvil.stop();
  };
  try {
    const chain = await createChain({
      rpcUrl: anvil.rpcUrl,
      account: { mnemonicIndex: accountIndex.deployer },
    });
    const params = localParams({ ...options.deadlines, ...checksOf[config.audit] });
    const deployment = await deploy({ chain, params, metadataHash: options.jobId, signal });
    await mintTokens(chain, deployment, {
      accounts: developmentAddresses(accountCount),
      amount: pan(startingTokens),
      signal,
    });
    await fundMaster(chain, deployment, config, signal);
    emit({
      type: 'chain.deployed',
      chainId: deployment.chainId,
      contracts: deployment.contracts,
      terms: marketTerms(params),
    });
    return {
      chain,
      contracts: connectContracts(chain, deployment),
      deployment,
      [Symbol.asyncDispose]: async () => {
        chain[Symbol.dispose]();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A long run costs more than everybody starts with; a third is for tasks that are posted again. */
async function fundMaster(chain: Chain, deployment: Deployment, config: RunConfig, signal: AbortSignal) {
  const needed = (BigInt(config.rounds * config.slotsPerRound) * slotTokens * 4n) / 3n;
  if (needed <= startingTokens) return;
  const accounts = [accountsOf(0).master as Address];
  await mintTokens(chain, deployment, { accounts, amount: pan(needed - startingTokens), signal });
}

export interface ChainWatch {
  /** Resolves when the facts of all blocks up to `block` have been told. */
  caughtUp(block: number, signal: AbortSignal): Promise<void>;
}

/** The only teller of chain facts in a run. Ends with the signal; a run whose facts are not told can not go on. */
export function watchChain(
  local: LocalChain,
  { emit, onLost, signal }: { emit: Emit; onLost: (error: unknown) => void; signal: AbortSignal },
): ChainWatch {
  const { chain, contracts, deployment } = local;
  const termsBefore = termsTeller(contracts, deployment.subnetId);
  const waiters = new Set<() => void>();
  let told = -1;
  const ended = (async () => {
    for await (const { block, facts } of watchBlocks({ chain, deployment, signal })) {
      for (const fact of facts) {
        const terms = await askPatiently(() => termsBefore(fact), { chain, signal });
        for (const event of terms) emit(event);
        emit({ type: 'chain.fact', fact });
      }
      told = block;
      for (const wake of waiters) wake();
    }
    throw signal.reason;
  })();
  ended.catch((error) => signal.aborted || onLost(error));
  return {
    async caughtUp(block, waitSignal) {
      let wake: () => void = () => {};
      const reached = new Promise<void>((resolve, reject) => {
        wake = () => {
          if (told >= block) resolve();
        };
        waitSignal.addEventListener('abort', () => reject(waitSignal.reason), { once: true });
      });
      waiters.add(wake);
      wake();
      try {
        await Promise.race([reached, ended]);
      } finally {
        waiters.delete(wake);
      }
    },
  };
}
