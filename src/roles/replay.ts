/** The one way to compute a task: solver, auditor, verifier and disputer all run this. */
import { join } from 'node:path';
import type { StepResult, Trainer } from '../engine/trainer.js';
import { PanthaliaError } from '../errors.js';
import type { SeenStep } from '../protocol/check.js';
import type { Hex32, Submission, TaskSpec } from '../protocol/task.js';
import { batchDigest, encodeLeaves, type Transition, traceLeaf, traceRoot } from '../protocol/trace.js';
import type { Compute } from './context.js';

/** Runs one native call when it is this job's turn; see engineTurns.ts. */
export type Turn = <T>(call: () => Promise<T>) => Promise<T>;

export interface ReplayOptions {
  taskId: Hex32;
  slot: number;
  spec: TaskSpec;
  /** file of the base parameters */
  base: string;
  /** folder for the result */
  scratch: string;
  compute: Compute;
  turn: Turn;
  signal: AbortSignal;
  /** the solver's S_0 .. S_H: stop at the first one that is not ours */
  expected?: readonly Hex32[] | undefined;
  /** how many steps to make; default all of them */
  steps?: number;
  /** step: k, from 1 */
  onStep?: (step: number, result: StepResult) => void;
}

export interface Replay {
  /** S_0 .. S_H, or up to the first difference */
  leaves: Hex32[];
  /** what each step showed: that of k -> k + 1 at k */
  seen: SeenStep[];
  /** null when it stopped before the end */
  outcome: ReplayOutcome | null;
  /** index of the first leaf that differs from `expected` */
  differsAt: number | null;
  /** loss of the last step, nats per token; NaN when no step was run */
  loss: number;
  /** spent in the engine */
  computeSeconds: number;
}

export interface ReplayOutcome {
  traceRoot: Hex32;
  /** sha-256 of theta after H steps */
  resultRoot: Hex32;
  /** file of theta after H steps; whoever asked deletes it */
  resultFile: string;
}

/** Runs the H inner steps of one slot from the base, or the first `steps` of them, hashing every state.
 *  throws check/base.wrong_state when the base file is not the state the task names; the signal's reason */
export async function replayTask(options: ReplayOptions): Promise<Replay> {
  const { spec, expected, onStep, steps = spec.innerSteps } = options;
  const { turn, seconds } = timed(options.turn);
  const place = { ...options, turn };
  await using trainer = await startAtBase(place);
  const leaves = [baseLeaf(place)];
  const seen: SeenStep[] = [];
  let loss = Number.NaN;
  for (let k = 1; k <= steps && firstDifference(leaves, expected) === null; k++) {
    const { leaf, stateRoot, transition, result } = await makeStep(trainer, place, k);
    leaves.push(leaf);
    seen.push({ stateRoot, ...transition });
    loss = result.loss;
    onStep?.(k, result);
  }
  const differsAt = firstDifference(leaves, expected);
  const made = { leaves, seen, differsAt, loss };
  if (differsAt !== null || steps < spec.innerSteps) {
    return { ...made, outcome: null, computeSeconds: seconds() };
  }

  const resultFile = join(options.scratch, `${options.taskId}-${crypto.randomUUID()}.theta`);
  const { sha256 } = await turn(() => trainer.saveParameters(resultFile));
  const outcome = { traceRoot: traceRoot(leaves), resultRoot: sha256, resultFile };
  return { ...made, outcome, computeSeconds: seconds() };
}

/** Where a step is made: the task, the arithmetic, and whose turn it is. */
export type StepPlace = Pick<ReplayOptions, 'taskId' | 'slot' | 'spec' | 'compute' | 'turn' | 'signal'>;

/** A trainer that holds X_0.  throws check/base.wrong_state, the signal's reason */
export async function startAtBase({
  spec,
  base,
  compute,
  turn,
  signal,
}: StepPlace & { base: string }): Promise<Trainer> {
  signal.throwIfAborted();
  const trainer = await turn(() => compute.createTrainer(spec));
  try {
    await turn(() => trainer.loadParameters(base));
    const stateRoot = await turn(() => trainer.stateRoot());
    if (stateRoot !== spec.base.stateRoot) throw wrongBase(spec.base.stateRoot, stateRoot);
    return trainer;
  } catch (error) {
    await trainer.dispose();
    throw error;
  }
}

/** S_0. */
export function baseLeaf({ taskId, spec }: StepPlace): Hex32 {
  const { opset, base } = spec;
  return traceLeaf({ taskId, opset, step: 0, stateRoot: base.stateRoot, transition: null });
}

/** One step and what there is to know of it. */
export interface StepOutcome {
  /** S_k */
  leaf: Hex32;
  stateRoot: Hex32;
  transition: Transition;
  result: StepResult;
}

/** From X_{k-1}, which the trainer holds, to X_k.  throws the signal's reason */
export async function makeStep(trainer: Trainer, place: StepPlace, k: number): Promise<StepOutcome> {
  const { taskId, slot, spec, compute, turn, signal } = place;
  const scalars = spec.scalars[k - 1];
  if (scalars === undefined) throw new RangeError(`the spec has no scalars for step ${k}`);
  const batch = await compute.batchAt(spec, slot, k - 1);
  const made = await turn(async () => {
    signal.throwIfAborted();
    const result = await trainer.innerStep(batch, scalars, signal);
    return { result, stateRoot: await trainer.stateRoot(), gradientRoot: await trainer.gradientRoot() };
  }).catch((error) => {
    signal.throwIfAborted();
    throw error;
  });
  const { result, stateRoot, gradientRoot } = made;
  const { loss, gradientNorm } = result;
  const transition = { batchDigest: batchDigest(batch), scalars, gradientRoot, loss, gradientNorm };
  const leaf = traceLeaf({ taskId, opset: spec.opset, step: k, stateRoot, transition });
  return { leaf, stateRoot, transition, result };
}

/** The blob that a solver publishes beside its result. */
export function leavesBlob(leaves: readonly Hex32[]): Uint8Array {
  return encodeLeaves(leaves);
}

/** The first k whose transition k -> k + 1 is wrong in `submission`, or null. A submission whose leaves are all right but whose
 *  result is not the last state is wrong in its last transition. */
export function firstWrongStep(replay: Replay, submission: Submission, innerSteps: number): number | null {
  // A wrong S_0 is a claim to have started elsewhere: no transition after it is right.
  if (replay.differsAt !== null) return Math.max(0, replay.differsAt - 1);
  const { outcome } = replay;
  if (outcome === null) throw new Error('a replay without a difference has an outcome');
  const isRight = outcome.traceRoot === submission.traceRoot && outcome.resultRoot === submission.resultRoot;
  return isRight ? null : innerSteps - 1;
}

/** Only the newest leaf is compared: the ones before were equal. */
function firstDifference(leaves: readonly Hex32[], expected: readonly Hex32[] | undefined): number | null {
  const last = leaves.length - 1;
  return expected === undefined || expected[last] === leaves[last] ? null : last;
}

export function timed(turn: Turn): { turn: Turn; seconds: () => number } {
  let totalMs = 0;
  const measured: Turn = (call) =>
    turn(async () => {
      const startedMs = performance.now();
      try {
        return await call();
      } finally {
        totalMs += performance.now() - startedMs;
      }
    });
  return { turn: measured, seconds: () => totalMs / 1000 };
}

function wrongBase(expected: Hex32, received: Hex32): PanthaliaError {
  return new PanthaliaError(
    'check',
    `The base parameters have state root ${received}, the task names ${expected}.`,
    { code: 'base.wrong_state', details: { expected, received } },
  );
}
