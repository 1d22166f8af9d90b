/** Checks the submissions of others before the challenge window closes. */
import { rm } from 'node:fs/promises';
import type { Hex32 } from '../protocol/task.js';
import { keepMade } from './checker.js';
import { fetchLeaves } from './inputs.js';
import type { Job } from './job.js';
import { heal, requireSubmission } from './publish.js';
import { firstWrongStep, replayTask } from './replay.js';

export interface Finding {
  /** the first k whose transition k -> k + 1 is wrong; null when the result is right */
  firstWrongStep: number | null;
  /** the solver's S_0 .. S_H; null when they can not be had: then the step above is only the last that can be wrong */
  leaves: readonly Hex32[] | null;
  /** by our own computation, as far as it went */
  ownLeaves: readonly Hex32[];
  computeSeconds: number;
}

export type Audit = (job: Job) => Promise<Finding>;

/** Replays from the base and compares each leaf as it comes, so that a lie costs the auditor only the steps before it.
 *  A right result that can not be fetched is published by the auditor.
 *  throws the job's signal, network/sot.unreachable, notFound and check errors of spec and base */
export async function auditTask(job: Job): Promise<Finding> {
  const { context, task, inputs, turn, signal } = job;
  const { sot, compute, scratch, emit } = context;
  const { taskId, round, slot } = task;
  const submission = requireSubmission(job);
  emit({ type: 'audit.started', taskId, round, slot });
  const spec = await inputs.spec(task, signal);
  const base = await inputs.base(spec, signal);
  // Without the leaves the roots still decide; only the step is not known.
  const leaves = await fetchLeaves(sot, submission, spec.innerSteps, signal);
  const replay = await replayTask({
    taskId,
    slot,
    spec,
    base,
    scratch,
    compute,
    turn,
    signal,
    expected: leaves ?? undefined,
  });
  // Whoever looked unasked may be drawn to look.
  await keepMade(context, taskId, { ...replay, resultRoot: replay.outcome?.resultRoot ?? null });
  const wrong = firstWrongStep(replay, submission, spec.innerSteps);
  try {
    if (wrong === null) await heal(job, replay);
  } finally {
    if (replay.outcome !== null) await rm(replay.outcome.resultFile, { force: true });
  }
  const { computeSeconds } = replay;
  emit({ type: 'audit.finished', taskId, firstWrongStep: wrong, computeSeconds });
  return { firstWrongStep: wrong, leaves, ownLeaves: replay.leaves, computeSeconds };
}
