/** Solves the tasks this account was drawn for. */
import { rm } from 'node:fs/promises';
import type { Submission } from '../protocol/task.js';
import { keepMade } from './checker.js';
import type { Job } from './job.js';
import { leavesBlob, replayTask } from './replay.js';

/** Computes the task, publishes result and trace, and returns what to commit to on chain; null delivers nothing. */
export type Solve = (job: Job) => Promise<Submission | null>;

/** throws check/spec.*, check/base.wrong_state, what the SOT refuses, and the job's signal */
export async function solveTask(job: Job): Promise<Submission> {
  const { context, task, inputs, turn, signal } = job;
  const { sot, compute, scratch, emit } = context;
  const { taskId, round, slot } = task;
  const spec = await inputs.spec(task, signal);
  const { innerSteps } = spec;
  emit({ type: 'task.solving', taskId, round, slot, innerSteps });
  const base = await inputs.base(spec, signal);
  const replay = await replayTask({
    taskId,
    slot,
    spec,
    base,
    scratch,
    compute,
    turn,
    signal,
    onStep: (step, { loss, gradientNorm, milliseconds }) =>
      emit({ type: 'train.step', taskId, round, slot, step, innerSteps, loss, gradientNorm, milliseconds }),
  });
  if (replay.outcome === null) throw new Error('a replay with nothing to compare with runs to the end');
  const { traceRoot, resultRoot, resultFile } = replay.outcome;
  // Somebody may be drawn to ask what the steps showed, or demand the leaves.
  await keepMade(context, taskId, { ...replay, resultRoot });
  try {
    await sot.putFile(resultFile, { signal });
  } finally {
    await rm(resultFile, { force: true });
  }
  const leaves = await sot.putBytes(leavesBlob(replay.leaves), { signal });
  const { loss, computeSeconds } = replay;
  emit({ type: 'task.solved', taskId, round, slot, resultRoot, loss, computeSeconds });
  return { traceRoot, resultRoot, leavesBlob: leaves.blob };
}
