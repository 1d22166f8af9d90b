/** What a role is given. Roles hold no globals: chain, blobs and computation arrive here, events leave by `emit`. */
import type { Chain } from '../chain/client.js';
import type { Contracts } from '../chain/contracts.js';
import type { Deployment } from '../chain/deployment.js';
import type { MarketFollower } from '../chain/follow.js';
import type { BlobClient } from '../data/blobClient.js';
import type { Batch, Trainer } from '../engine/trainer.js';
import type { Emit } from '../events/types.js';
import type { Hex32, Opset, RunManifest, TaskSpec } from '../protocol/task.js';
import type { AuditPolicy } from '../protocol/unaskedAudits.js';

export interface RoleContext {
  chain: Chain;
  deployment: Deployment;
  contracts: Contracts;
  /** the market as of the newest block seen */
  market: MarketFollower;
  /** the Source of Truth's blobs and versions */
  sot: BlobClient;
  emit: Emit;
}

/** The arithmetic of a task. The real one is the engine and the dataset; a test passes a toy. */
export interface Compute {
  /** tasks of another one are refused: stake is risked on bits that this arithmetic may not give */
  opset: Opset;
  /** planned for the spec's model and batch shape; state invalid until loadParameters */
  createTrainer(spec: TaskSpec): Promise<Trainer>;
  /** step: 0 .. innerSteps - 1, the batch consumed to reach state step + 1 */
  batchAt(spec: TaskSpec, slot: number, step: number): Promise<Batch>;
}

export interface WorkerContext extends RoleContext {
  compute: Compute;
  /** folder for files in flight; the worker may delete what it put there */
  scratch: string;
  /** folder that outlives the process, for what it has seen of tasks that are not final; see memory.ts */
  memory: string;
  options: WorkerOptions;
}

export interface WorkerOptions {
  /** token units to stake as solver, in whole seats; as many verifier seats are staked beside them; 0n stakes nothing new */
  stakeAmount: bigint;
  audit: AuditPolicy;
  /** name in `faults`; undefined is honest */
  fault?: string;
  /** after the first signal: what it owes and what ends within so long is seen through; default 600; 0 leaves at once */
  staySeconds?: number;
  /** reason: of the first signal; whether the chain ends with it, too: then nothing is owed and it leaves at once */
  isTheEnd?: (reason: unknown) => boolean;
}

export interface MasterContext extends RoleContext {
  manifest: RunManifest;
  /** id of the manifest's blob */
  jobId: Hex32;
}
