/** Votes on one transition of a disputed task: makes that step again and compares. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '../deadline.js';
import { PanthaliaError } from '../errors.js';
import type { Verdict } from '../protocol/facts.js';
import type { CaseView } from '../protocol/marketView.js';
import type { TaskSpec } from '../protocol/task.js';
import type { Attention } from '../protocol/vote.js';
import { createInputs, isUnsolvable, isUnusableBlob } from './inputs.js';
import type { Job } from './job.js';
import { requireSubmission } from './publish.js';
import { replayStep, type StepReplay, stateBlobSize } from './stepReplay.js';

export interface Judgement {
  verdict: Verdict;
  /** what the step showed; null where none could be made */
  seen: Attention | null;
  /** inner steps that were made for it */
  steps: number;
  computeSeconds: number;
}

/** What this verifier will vote; null does not vote. */
export type Judge = (job: Job, kase: CaseView) => Promise<Judgement | null>;

/** valid or invalid by recomputation; unavailable when spec or base can not be had, are not what the chain names, or can not be computed.
 *  throws the job's signal, network/sot.unreachable */
export async function judgeTask(job: Job, kase: CaseView): Promise<Judgement> {
  return judge(job, kase, { withoutState: isUnusableBlob, unavailable: isUnavailable });
}

/** The same by somebody who has nothing yet: spec and base are fetched, though we have them, since the next panel would have to fetch them.
 *  Whatever keeps the published state from us leads to the base, and memory that is short here says nothing about the task.
 *  seconds: for all of it; half of them for that state
 *  throws as judgeTask, engine.out_of_memory, TimeoutError */
export async function judgeAgain(job: Job, kase: CaseView, seconds: number): Promise<Verdict> {
  const { sot, scratch, compute } = job.context;
  const folder = await mkdtemp(join(scratch, 'again-'));
  using inTime = within(1000 * seconds, job.signal);
  try {
    const inputs = createInputs({ sot, folder, opset: compute.opset });
    const allowances = {
      stateSeconds: seconds / 2,
      withoutState: () => true,
      unavailable: (error: unknown) => isUnavailable(error) && !isOutOfMemory(error),
    };
    return (await judge({ ...job, inputs, signal: inTime.signal }, kase, allowances)).verdict;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Allowances {
  /** for the published state; default: as long as it takes */
  stateSeconds?: number;
  /** failures to fetch it that lead to the base */
  withoutState(error: unknown): boolean;
  /** failures that say that the step can not be made */
  unavailable(error: unknown): boolean;
}

async function judge(job: Job, kase: CaseView, allowances: Allowances): Promise<Judgement> {
  const submission = requireSubmission(job);
  let made: StepReplay;
  try {
    made = await remakeStep(job, kase, allowances);
  } catch (error) {
    job.signal.throwIfAborted();
    return withoutStep(job, error, allowances);
  }
  // The panel is about one step; the last one also leads to the result.
  const isRight =
    made.before === kase.before &&
    made.after === kase.next &&
    (made.resultRoot === null || made.resultRoot === submission.resultRoot);
  const { stateRoot, steps, computeSeconds } = made;
  const { gradientRoot, loss, gradientNorm } = made.transition;
  const seen = { stateRoot, gradientRoot, loss, gradientNorm };
  return { verdict: isRight ? 'valid' : 'invalid', seen, steps, computeSeconds };
}

/** From the state that the disputer published, or, where that is not to be had, from the base. */
async function remakeStep(job: Job, kase: CaseView, allowances: Allowances): Promise<StepReplay> {
  const { context, task, inputs, turn, signal } = job;
  const { compute, scratch } = context;
  const spec = await inputs.spec(task, signal);
  const { taskId, slot } = task;
  const options = { taskId, slot, spec, scratch, compute, turn, signal };
  const state = await fetchState(job, kase, spec, allowances);
  if (state !== null) {
    try {
      return await replayStep(options, kase.step, { state, before: kase.before });
    } catch (error) {
      if (!(error instanceof PanthaliaError) || error.code !== 'state.wrong') throw error;
      tell(job, `The published state of task ${taskId} does not help: ${error.message}`);
    } finally {
      await rm(state, { force: true });
    }
  }
  return replayStep(options, kase.step, { base: await inputs.base(spec, signal) });
}

/** File of X_k's blob; null when nobody published it, or nobody needs it. */
async function fetchState(
  { context, task, signal }: Job,
  { step, stateBlob }: CaseView,
  spec: TaskSpec,
  { stateSeconds, withoutState }: Allowances,
): Promise<string | null> {
  if (step === 0 || stateBlob === null) return null;
  const file = join(context.scratch, `${task.taskId}-${crypto.randomUUID()}.state`);
  using inTime = within(1000 * (stateSeconds ?? Number.POSITIVE_INFINITY), signal);
  try {
    await context.sot.getToFile(stateBlob, file, { maxBytes: stateBlobSize(spec), signal: inTime.signal });
    return file;
  } catch (error) {
    await rm(file, { force: true });
    signal.throwIfAborted();
    if (withoutState(error)) return null;
    throw error;
  }
}

function withoutStep(job: Job, error: unknown, { unavailable }: Allowances): Judgement {
  const { taskId } = job.task;
  const nothing = { seen: null, steps: 0, computeSeconds: 0 };
  // A step that leads to NaN or Inf is no step of a task that anyone could have solved.
  if (error instanceof PanthaliaError && error.code === 'engine.invalid_state') {
    tell(job, `Task ${taskId} can not be right: ${error.message}`);
    return { verdict: 'invalid', ...nothing };
  }
  if (!unavailable(error)) throw error;
  tell(job, `Task ${taskId} can not be computed: ${(error as Error).message}`);
  return { verdict: 'unavailable', ...nothing };
}

function isUnavailable(error: unknown): boolean {
  return isUnusableBlob(error) || isUnsolvable(error);
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof PanthaliaError && error.code === 'engine.out_of_memory';
}

function tell({ context }: Job, message: string): void {
  context.emit({ type: 'alert', level: 'warn', message, code: 'vote.unavailable' });
}
