/** A deployment at this moment, as one value. */
import { createBlobClient } from '../data/blobClient.js';
import { PanthaliaError, withoutSecrets } from '../errors.js';
import { formatTokens } from '../events/amount.js';
import { epochOf } from '../protocol/epochs.js';
import type { MarketView } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { type ConnectOptions, connectWithoutSot } from './connect.js';

interface LatestModel {
  number: number;
  stateRoot: Hex32;
  validationLoss: number;
}

/** Amounts are decimal strings in tokens. */
export interface Status {
  chainId: number;
  /** this and that of the SOT without what may be a key */
  rpcUrl: string;
  block: number;
  /** null when no SOT is known; model: null when it has no version yet, or a problem: what went wrong when it was asked */
  sot: { url: string; model: LatestModel | null; problem: string | null } | null;
  /** the deployment's own; paused or closed, it takes no new tasks and no new stake. version: of the parameters that tasks are posted
   *  under now; coming: the one that follows, from the first block of an epoch on */
  subnet: {
    subnetId: number;
    owner: Address | null;
    state: string;
    version: number | null;
    coming: { version: number; epoch: number; block: number } | null;
  };
  /** outer steps on chain, and the state root after the last of them; the newest job last */
  jobs: { jobId: Hex32; buyer: Address; rounds: number; stateRoot: Hex32; chainHash: Hex32 }[];
  tasks: {
    taskId: Hex32;
    round: number;
    slot: number;
    state: string;
    solver: Address | null;
    /** unix seconds */
    challengeBy: number | null;
  }[];
  positions: {
    account: Address;
    role: string;
    seats: number;
    unstaking: number;
    jailed: boolean;
    slashed: string;
  }[];
  ledger: { deposited: string; withdrawn: string; burned: string; slashed: string };
}

const sotPatienceMs = 2_000;

export async function readStatus(options: ConnectOptions): Promise<Status> {
  using context = await connectWithoutSot(options);
  const { deployment, market, chain, contracts } = context;
  const epochLength = Number(await contracts.beacon.read('epochLength', []));
  const sotUrl = options.sotUrl ?? deployment.sotUrl;
  return {
    chainId: chain.chainId,
    rpcUrl: withoutSecrets(chain.rpcUrl),
    block: market.head.number,
    sot:
      sotUrl === null
        ? null
        : { url: withoutSecrets(sotUrl), ...(await latestModel(sotUrl, options.signal)) },
    subnet: subnetStatus(
      market.view,
      { subnetId: deployment.subnetId, head: market.head.number },
      epochLength,
    ),
    ...marketStatus(market.view),
  };
}

function subnetStatus(
  { subnets }: MarketView,
  { subnetId, head }: { subnetId: number; head: number },
  epochLength: number,
): Status['subnet'] {
  const subnet = subnets.get(subnetId);
  if (subnet === undefined) return { subnetId, owner: null, state: 'unknown', version: null, coming: null };
  const { owner, state, version, versionFrom } = subnet;
  // A transaction that is sent now is in the next block.
  const isComing = epochOf(head + 1, { epochLength }) < versionFrom;
  const coming = isComing ? { version, epoch: versionFrom, block: versionFrom * epochLength } : null;
  return { subnetId, owner, state, version: isComing ? version - 1 : version, coming };
}

function marketStatus({
  jobs,
  tasks,
  positions,
  ledger,
}: MarketView): Pick<Status, 'jobs' | 'tasks' | 'positions' | 'ledger'> {
  const { deposited, withdrawn, burned, slashed } = ledger;
  return {
    jobs: [...jobs.values()].map(({ jobId, buyer, rounds, stateRoot, chainHash }) => ({
      ...{ jobId, buyer, rounds, stateRoot, chainHash },
    })),
    tasks: [...tasks.values()].map(({ taskId, round, slot, state, solver, challengeBy }) => ({
      ...{ taskId, round, slot, state, solver, challengeBy },
    })),
    positions: [...positions.values()].map(({ account, role, seats, unstaking, jailed, slashed: lost }) => ({
      ...{ account, role, seats, unstaking, jailed, slashed: formatTokens(lost) },
    })),
    ledger: {
      deposited: formatTokens(deposited),
      withdrawn: formatTokens(withdrawn),
      burned: formatTokens(burned),
      slashed: formatTokens(slashed),
    },
  };
}

/** The page is about the market: a SOT that is away is part of the news, not an error. */
async function latestModel(url: string, signal: AbortSignal) {
  try {
    const sot = createBlobClient({ url, patienceMs: sotPatienceMs });
    const version = await sot.latestVersion({ signal });
    if (version === undefined) return { model: null, problem: null };
    const { number, stateRoot, validationLoss } = version;
    return { model: { number, stateRoot, validationLoss }, problem: null };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PanthaliaError) return { model: null, problem: error.message };
    throw error;
  }
}
