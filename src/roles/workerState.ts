/** What the lanes of one worker share. */
import type { TaskView } from '../protocol/marketView.js';
import type { Address, Hex32, Submission } from '../protocol/task.js';
import type { Behaviour } from './behaviour.js';
import type { WorkerContext } from './context.js';
import type { Disputer, StoodDispute } from './disputer.js';
import type { EngineTurns, Priority } from './engineTurns.js';
import type { Inputs } from './inputs.js';
import type { Job } from './job.js';
import type { Permission } from './permission.js';
import type { Turn } from './replay.js';
import type { SubnetRules } from './rules.js';

/** What the worker did while it ran. */
export interface WorkerReport {
  solved: number;
  audited: number;
  disputed: number;
  voted: number;
  checked: number;
  /** lost to slashing, token units */
  slashed: bigint;
}

export interface Worker {
  context: WorkerContext;
  self: Address;
  rules: SubnetRules;
  behaviour: Behaviour;
  disputer: Disputer;
  inputs: Inputs;
  /** one engine for all lanes: who is served next */
  turns: EngineTurns;
  /** to store what it solves */
  permission: Permission;
  report: WorkerReport;
  /** by task: a reorganisation may take a submission back, and its task is the same whoever is drawn for it again */
  solutions: Map<Hex32, Submission>;
  /** by task and step: disputes that stood on chain, in case a reorganisation takes them back */
  stood: Map<string, StoodDispute>;
  /** by the same key: since when the case is gone, unix seconds */
  goneSince: Map<string, number>;
  /** cases that are seen through, until they are over */
  following: Map<Hex32, Promise<void>>;
  /** of looks at cases: each holds a base and a trainer, and there may be hundreds */
  lookTurn: Turn;
  /** ends everything at once: the time to finish what is owed is over, or a lane has failed */
  hard: AbortSignal;
}

export function jobOf(worker: Worker, task: TaskView, priority: Priority, signal: AbortSignal): Job {
  const { context, inputs, turns } = worker;
  return { context, task, inputs, turn: turns.turnOf(priority), signal };
}
