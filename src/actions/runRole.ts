/** One role with its dependencies, as its own process: what `worker`, `master` and `sot` do after their flags are read. */
import { recoverRequestSigner, requestDomain } from '../chain/requestSigner.js';
import { openDataset } from '../data/dataset.js';
import { ensureAddon } from '../engine/buildAddon.js';
import { canonicalId } from '../protocol/canonicalJson.js';
import type { Address } from '../protocol/task.js';
import type { WorkerOptions } from '../roles/context.js';
import { run as master } from '../roles/master.js';
import { run as sot } from '../roles/sot.js';
import { type WorkerReport, run as worker } from '../roles/worker.js';
import { computeOn, type Device, outerComputeOn } from './compute.js';
import { type ConnectOptions, connectRole, connectWithoutSot } from './connect.js';
import { type DisputeOptions, type DisputeResult, disputeTask } from './dispute.js';
import { readManifest } from './manifest.js';

export interface RoleOptions extends ConnectOptions {
  /** prose about slow beginnings */
  say: (line: string) => void;
}

export interface RunWorkerOptions extends RoleOptions {
  worker: WorkerOptions;
  device: Device;
  scratch: string;
}

/** Until the signal, and then until what it owes is done. */
export async function runWorker(options: RunWorkerOptions): Promise<WorkerReport> {
  const { say, signal, device, scratch } = options;
  await ensureAddon({ log: say, signal });
  using context = await connectRole(options);
  return await worker({ ...context, compute: computeOn(device), scratch, options: options.worker }, signal);
}

export interface RunDisputeOptions extends RoleOptions {
  dispute: DisputeOptions;
  device: Device;
  scratch: string;
}

/** Until the verdict.  throws what disputeTask throws: a task that is right is one of its errors */
export async function runDispute(options: RunDisputeOptions): Promise<DisputeResult> {
  const { say, signal, device, scratch } = options;
  await ensureAddon({ log: say, signal });
  using context = await connectRole(options);
  return await disputeTask(options.dispute, { ...context, compute: computeOn(device), scratch }, signal);
}

export interface RunMasterOptions extends RoleOptions {
  /** path of the run manifest */
  manifest: string;
}

/** Until the last round is merged, or the signal. */
export async function runMaster(options: RunMasterOptions): Promise<void> {
  const manifest = await readManifest(options.manifest);
  using context = await connectRole(options);
  await master({ ...context, manifest, jobId: canonicalId(manifest) }, options.signal);
}

export interface RunSotOptions extends RoleOptions {
  manifest: string;
  /** the master's account, which may store task specs before it has posted anything */
  buyer: Address;
  device: Device;
  dir: string;
  host: string;
  port: number;
}

/** Until the signal. */
export async function runSot(options: RunSotOptions): Promise<void> {
  const { emit, say, signal, buyer, device, dir, host, port } = options;
  const manifest = await readManifest(options.manifest);
  await ensureAddon({ log: say, signal });
  const dataset = await openDataset(manifest.dataset);
  using context = await connectWithoutSot(options);
  const { deployment, market } = context;
  await sot(
    {
      ...{ manifest, jobId: canonicalId(manifest), buyer, subnetId: deployment.subnetId, market },
      ...{ domain: requestDomain(deployment), recoverSigner: recoverRequestSigner, dataset },
      ...{ compute: outerComputeOn(device, manifest), dir, host, port, emit },
    },
    signal,
  );
}
