/** Looks at a submission because it was drawn to: makes the steps again up to the last one that is asked about. */
import { rm } from 'node:fs/promises';
import type { Made } from '../protocol/check.js';
import type { Hex32, Submission } from '../protocol/task.js';
import { fetchLeaves, isUnsolvable, isUnusableBlob } from './inputs.js';
import type { Job } from './job.js';
import { keep, recall } from './memory.js';
import { requireSubmission } from './publish.js';
import { replayTask } from './replay.js';

export interface CheckFinding {
  /** the steps up to the last one that is asked about; null where the data to make them could not be had */
  made: Made | null;
  /** the first k whose transition k -> k + 1 is wrong, among those that were made; null when they are right */
  firstWrongStep: number | null;
  /** the solver's S_0 .. S_H; null when they can not be had */
  leaves: readonly Hex32[] | null;
  /** inner steps that were made for it: none where they were kept, from before a restart or of an audit */
  steps: number;
  computeSeconds: number;
}

/** steps: the checked ones; null does not look */
export type CheckTask = (job: Job, steps: readonly number[]) => Promise<CheckFinding | null>;

/** throws the job's signal, network/sot.unreachable */
export async function checkTask(job: Job, steps: readonly number[]): Promise<CheckFinding> {
  const { context, task, signal } = job;
  const submission = requireSubmission(job);
  const count = Math.max(...steps) + 1;
  try {
    const { made, computeSeconds } = await stepsOf(job, count);
    const { innerSteps } = task.terms;
    // What it has seen counts without them: a commitment has a deadline.
    const leaves = await fetchLeaves(context.sot, submission, innerSteps, signal).catch(() => null);
    signal.throwIfAborted();
    const firstWrongStep = firstWrong(made, leaves, submission, innerSteps);
    const counted = computeSeconds === 0 ? 0 : count;
    return { made, firstWrongStep, leaves, steps: counted, computeSeconds };
  } catch (error) {
    signal.throwIfAborted();
    if (!isUnusableBlob(error) && !isUnsolvable(error)) throw error;
    // What the buyer had to provide is not there, not what the chain names, or nothing that can be computed.
    const message = `Task ${task.taskId} can not be computed: ${(error as Error).message}`;
    context.emit({ type: 'alert', level: 'warn', message, code: 'check.unavailable' });
    return { made: null, firstWrongStep: null, leaves: null, steps: 0, computeSeconds: 0 };
  }
}

/** The first `count` steps of the task, as they were made before or made now, and kept. */
export async function stepsOf(job: Job, count: number): Promise<{ made: Made; computeSeconds: number }> {
  const { context, task, inputs, turn, signal } = job;
  const { compute, scratch, memory, emit } = context;
  const { taskId, slot } = task;
  const known = await recall(memory, taskId);
  if (known !== null && reaches(known, count, task.terms.innerSteps))
    return { made: known, computeSeconds: 0 };
  const spec = await inputs.spec(task, signal);
  const base = await inputs.base(spec, signal);
  const options = { taskId, slot, spec, base, scratch, compute, turn, signal, steps: count };
  const { leaves, seen, outcome, computeSeconds } = await replayTask(options);
  if (outcome !== null) await rm(outcome.resultFile, { force: true });
  const made = { leaves, seen, resultRoot: outcome?.resultRoot ?? null };
  await keepMade({ memory, emit }, taskId, made);
  return { made, computeSeconds };
}

/** The last step is answered with the result, which an audit that stopped at a wrong S_H has not made. */
function reaches({ seen, resultRoot }: Made, count: number, innerSteps: number): boolean {
  return seen.length >= count && (count < innerSteps || resultRoot !== null);
}

/** What goes further than what is kept already. Without it a restart computes again, which is no reason to stop now. */
export async function keepMade(
  { memory, emit }: Pick<Job['context'], 'memory' | 'emit'>,
  taskId: Hex32,
  made: Made,
): Promise<void> {
  const known = await recall(memory, taskId);
  if (known !== null && (known.resultRoot !== null || known.seen.length > made.seen.length)) return;
  try {
    await keep(memory, taskId, made);
  } catch (error) {
    const { message, code } = error as Error & { code: string };
    emit({ type: 'alert', level: 'warn', message, code });
  }
}

/** The first k whose transition k -> k + 1 is wrong, among those that were made; null where they are right. Whoever does not show the
 *  trace can still be seen to lie by a check that came to its end. */
export function firstWrong(
  made: Made,
  leaves: readonly Hex32[] | null,
  { resultRoot }: Submission,
  innerSteps: number,
): number | null {
  const differsAt = leaves === null ? -1 : made.leaves.findIndex((leaf, k) => leaf !== leaves[k]);
  // A wrong S_0 is a claim to have started elsewhere: no transition after it is right.
  if (differsAt >= 0) return Math.max(0, differsAt - 1);
  return made.resultRoot !== null && made.resultRoot !== resultRoot ? innerSteps - 1 : null;
}
