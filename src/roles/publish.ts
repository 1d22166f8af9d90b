/** What an auditor stores for others: results that their solver withheld, and states that verifiers start from. */
import { rm } from 'node:fs/promises';
import { PanthaliaError } from '../errors.js';
import type { Hex32, Submission } from '../protocol/task.js';
import type { Job } from './job.js';
import { leavesBlob, type Replay } from './replay.js';
import { makeStateBlob } from './stepReplay.js';

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

/** Computes X_k and stores it, so that verifiers make one step instead of k + 1.  null for k = 0: the base is there already
 *  throws what the SOT refuses, the job's signal */
export async function publishState(job: Job, k: number): Promise<Hex32 | null> {
  if (k === 0) return null;
  const { context, task, inputs, turn, signal } = job;
  const { compute, scratch, sot } = context;
  const spec = await inputs.spec(task, signal);
  const base = await inputs.base(spec, signal);
  const { taskId, slot } = task;
  const file = await makeStateBlob({ taskId, slot, spec, base, scratch, compute, turn, signal }, k);
  try {
    return (await sot.putFile(file, { signal })).blob;
  } finally {
    await rm(file, { force: true });
  }
}

export function requireSubmission({ task }: Pick<Job, 'task'>): Submission {
  if (task.submission === null) throw new Error(`task ${task.taskId} has no submission`);
  return task.submission;
}
