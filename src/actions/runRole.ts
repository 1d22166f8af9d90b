/** One role with its dependencies, as its own process: what `worker`, `master` and `sot` do after their flags are read. */
import { recoverRequestSigner, requestDomain } from '../chain/requestSigner.js';
import { longestReorgBlocks } from '../chain/watch.js';
import { openDataset } from '../data/dataset.js';
import { ensureAddon } from '../engine/buildAddon.js';
import { developmentChainId } from '../process/anvil.js';
import { canonicalId } from '../protocol/canonicalJson.js';
import { pinCost } from '../protocol/economics.js';
import type { Address, Hex32, Opset } from '../protocol/task.js';
import type { WorkerOptions } from '../roles/context.js';
import { run as master } from '../roles/master.js';
import { readRules } from '../roles/rules.js';
import { run as sot } from '../roles/sot.js';
import { run as worker } from '../roles/worker.js';
import type { WorkerReport } from '../roles/workerState.js';
import { computeOn, type Machine, outerComputeOn } from './compute.js';
import { requireConformance } from './conformance.js';
import { type ConnectOptions, connectRole, connectWithoutSot } from './connect.js';
import { type DisputeOptions, type DisputeResult, disputeTask } from './dispute.js';
import { readManifest } from './manifest.js';
import { requireSameOpset, requireStakeable } from './opset.js';

export interface RoleOptions extends ConnectOptions {
  /** prose about slow beginnings */
  say: (line: string) => void;
}

export interface RunWorkerOptions extends RoleOptions {
  worker: WorkerOptions;
  machine: Machine;
  /** the only one it stakes on */
  opset: Opset;
  scratch: string;
  /** outlives the process; see roles/memory.ts */
  memory: string;
  /** what the short conformance run must give, in place of the pinned digest */
  expectedDigest?: Hex32;
}

/** Until the signal, and then until what it owes is done.
 *  throws, before anything is staked, declined/opset.differs and check/conformance.differs; then what the role throws */
export async function runWorker(options: RunWorkerOptions): Promise<WorkerReport> {
  const { say, signal, machine, opset, scratch, memory, expectedDigest: expected } = options;
  await ensureAddon({ log: say, signal });
  using context = await connectRole(options);
  await requireSameOpset(context.sot, opset, signal);
  if (opset === 'canon-f32-v1') await requireConformance(machine, { expected, say, signal });
  const compute = computeOn(machine, opset);
  return await worker({ ...context, compute, scratch, memory, options: options.worker }, signal);
}

export interface RunDisputeOptions extends RoleOptions {
  dispute: DisputeOptions;
  machine: Machine;
  /** tasks of another one are not disputed */
  opset: Opset;
  scratch: string;
}

/** Until the verdict.  throws check/conformance.differs, and what disputeTask throws: a task that is right is one of its errors */
export async function runDispute(options: RunDisputeOptions): Promise<DisputeResult> {
  const { say, signal, machine, opset, scratch } = options;
  await ensureAddon({ log: say, signal });
  using context = await connectRole(options);
  if (opset === 'canon-f32-v1') await requireConformance(machine, { say, signal });
  const compute = computeOn(machine, opset);
  return await disputeTask(options.dispute, { ...context, compute, scratch }, signal);
}

export interface RunMasterOptions extends RoleOptions {
  /** path of the run manifest */
  manifest: string;
}

/** Until the last round is merged, or the signal.  throws config/opset.not_staked, and what the role throws */
export async function runMaster(options: RunMasterOptions): Promise<void> {
  const manifest = await readManifest(options.manifest);
  using context = await connectRole(options);
  requireStakeable(manifest, context.deployment.chainId);
  await master({ ...context, manifest, jobId: canonicalId(manifest) }, options.signal);
}

export interface RunSotOptions extends RoleOptions {
  manifest: string;
  /** the master's account, which may store task specs before it has posted anything */
  buyer: Address;
  machine: Machine;
  dir: string;
  host: string;
  port: number;
  /** blocks for which a round waits after its acceptance; default: see `depthOn` */
  depth?: number;
}

/** What the chain can not take back any more: as deep as reorganisations are followed, which is two epochs of Ethereum. Our own node makes
 *  none. */
function depthOn(chainId: number): number {
  return chainId === developmentChainId ? 0 : longestReorgBlocks;
}

/** Until the signal. */
export async function runSot(options: RunSotOptions): Promise<void> {
  const { emit, say, signal, buyer, machine, dir, host, port, depth } = options;
  const manifest = await readManifest(options.manifest);
  await ensureAddon({ log: say, signal });
  const dataset = await openDataset(manifest.dataset);
  using context = await connectWithoutSot(options);
  const { deployment, market, contracts } = context;
  const { params } = await readRules(contracts, deployment.subnetId);
  const leastBond = pinCost(params, params.minPrice).bond;
  await sot(
    {
      ...{ manifest, jobId: canonicalId(manifest), buyer, subnetId: deployment.subnetId, market },
      depth: depth ?? depthOn(deployment.chainId),
      ...{ domain: requestDomain(deployment), recoverSigner: recoverRequestSigner, dataset, leastBond },
      ...{ compute: outerComputeOn(machine, manifest), dir, host, port, emit },
    },
    signal,
  );
}
