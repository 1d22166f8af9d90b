/** Votes on disputed tasks: computes the whole task again and compares. */
import { rm } from 'node:fs/promises';
import { PanthaliaError } from '../errors.js';
import type { Verdict } from '../protocol/facts.js';
import type { CaseView } from '../protocol/market.js';
import type { Submission } from '../protocol/task.js';
import { type Ballot, voteAnswer } from '../protocol/vote.js';
import { isUnusableBlob } from './inputs.js';
import type { Job } from './job.js';
import { leavesBlob, type Replay, replayTask } from './replay.js';

export interface Judgement extends Ballot {
  computeSeconds: number;
}

/** What this verifier will vote; null does not vote. */
export type Judge = (job: Job, kase: CaseView) => Promise<Judgement | null>;

/** Every honest verifier gives this answer when there is nothing to compute from. */
const noAnswer = `0x${'00'.repeat(32)}` as const;

/** valid or invalid by recomputation; unavailable when spec or base can not be had or are not what the chain names.
 *  throws the job's signal, network/sot.unreachable */
export async function judgeTask(job: Job): Promise<Judgement> {
  const { task, signal } = job;
  const submission = requireSubmission(job);
  let replay: Replay;
  try {
    replay = await recompute(job);
  } catch (error) {
    signal.throwIfAborted();
    if (!isUnusableBlob(error)) throw error;
    const message = `Task ${task.taskId} can not be computed: ${(error as Error).message}`;
    job.context.emit({ type: 'alert', level: 'warn', message, code: 'vote.unavailable' });
    return { verdict: 'unavailable', answer: noAnswer, computeSeconds: 0 };
  }
  const { outcome, computeSeconds } = replay;
  if (outcome === null) throw new Error('a replay with nothing to compare with runs to the end');
  const isRight = outcome.traceRoot === submission.traceRoot && outcome.resultRoot === submission.resultRoot;
  try {
    if (isRight) await heal(job, replay);
  } finally {
    await rm(outcome.resultFile, { force: true });
  }
  const verdict: Verdict = isRight ? 'valid' : 'invalid';
  return { verdict, answer: voteAnswer(outcome), computeSeconds };
}

/** The task from its base, without looking at what the solver says. */
async function recompute({ context, task, inputs, turn, signal }: Job): Promise<Replay> {
  const { compute, scratch } = context;
  const spec = await inputs.spec(task, signal);
  const base = await inputs.base(spec, signal);
  const { taskId, slot } = task;
  return replayTask({ taskId, slot, spec, base, scratch, compute, turn, signal });
}

/** Publishes what the solver should have: a right result that nobody can fetch would stop the round. Parts that are there
 *  already are not sent again. Whoever has no stake may not write, and leaves it to others. */
export async function heal({ context, signal }: Job, { outcome, leaves }: Replay): Promise<void> {
  if (outcome === null) return;
  try {
    await context.sot.putFile(outcome.resultFile, { signal });
    await context.sot.putBytes(leavesBlob(leaves), { signal });
  } catch (error) {
    if (!(error instanceof PanthaliaError) || error.family !== 'user') throw error;
    context.emit({ type: 'alert', level: 'info', message: error.message, code: error.code });
  }
}

export function requireSubmission({ task }: Pick<Job, 'task'>): Submission {
  if (task.submission === null) throw new Error(`task ${task.taskId} has no submission`);
  return task.submission;
}
