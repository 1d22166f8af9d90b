/** What a task names by hash, fetched and held against the chain before anything is computed from it. */
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BlobClient } from '../data/blobClient.js';
import { PanthaliaError } from '../errors.js';
import type { TaskView } from '../protocol/market.js';
import { parameterCount } from '../protocol/stateTree.js';
import type { Hex32, Submission, TaskSpec } from '../protocol/task.js';
import { decodeLeaves, traceRoot } from '../protocol/trace.js';

const maxSpecBytes = 16 * 1024 * 1024;
/** Bases kept on disk: this round's, and the one before for late audits and disputes. */
const keptBases = 3;

const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((value) => value as Hex32);
const fp32 = z.int().min(0).max(0xffff_ffff);
const count = z.int().positive();

/** The bytes are bound to the chain by their hash, but a buyer chose them. */
const specSchema = z.strictObject({
  schema: z.literal('panthalia-task/1'),
  jobId: hex32,
  round: z.int().nonnegative(),
  opset: z.literal('torch'),
  threads: count,
  model: z.strictObject({ vocabSize: count, blockSize: count, layers: count, heads: count, width: count }),
  base: z.strictObject({ stateRoot: hex32, parameters: hex32 }),
  dataset: hex32,
  seed: hex32,
  slotsPerRound: count,
  innerSteps: count,
  batch: z.strictObject({ rows: count, tokens: count }),
  inner: z.strictObject({
    beta1: fp32,
    oneMinusBeta1: fp32,
    beta2: fp32,
    oneMinusBeta2: fp32,
    epsilon: fp32,
    clipNorm: fp32,
  }),
  scalars: z.array(z.strictObject({ stepSize: fp32, secondMomentScale: fp32, decay: fp32 })),
});

/** The spec that the task names, checked against what the chain says about the task.
 *  throws notFound/sot.blob_not_found, check/spec.* */
export async function fetchSpec(sot: BlobClient, task: TaskView, signal: AbortSignal): Promise<TaskSpec> {
  const bytes = await sot.getBytes(task.specHash, { maxBytes: maxSpecBytes, signal });
  const spec = parseSpec(bytes, task.specHash);
  const pairs: [string, unknown, unknown][] = [
    ['job', task.jobId, spec.jobId],
    ['round', task.round, spec.round],
    ['base root', task.baseRoot, spec.base.stateRoot],
    ['number of scalars', spec.innerSteps, spec.scalars.length],
    ['slot', task.slot, Math.min(task.slot, spec.slotsPerRound - 1)],
  ];
  for (const [what, expected, received] of pairs) {
    if (expected === received) continue;
    const sentence = `The ${what} of task ${task.taskId} is ${expected}, its spec says ${received}.`;
    throw new PanthaliaError('check', sentence, {
      code: 'spec.contradicts_chain',
      details: { taskId: task.taskId, what, expected, received },
    });
  }
  return spec;
}

function parseSpec(bytes: Uint8Array, blob: Hex32): TaskSpec {
  try {
    return specSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw new PanthaliaError('check', `Blob ${blob} is not a panthalia-task/1.`, {
      code: 'spec.malformed',
      details: { blob },
      cause,
    });
  }
}

/** Base parameters as local files: each downloaded once, the last few kept. */
export interface Bases {
  /** throws notFound/sot.blob_not_found, check/sot.* */
  fetch(spec: TaskSpec, signal: AbortSignal): Promise<string>;
}

export function createBases(sot: BlobClient, folder: string): Bases {
  const fetching = new Map<Hex32, Promise<string>>();
  const download = async (spec: TaskSpec, signal: AbortSignal) => {
    const blob = spec.base.parameters;
    const path = join(folder, `${blob}.base`);
    await mkdir(folder, { recursive: true });
    const isHere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isHere) await sot.getToFile(blob, path, { signal, maxBytes: 4 * parameterCount(spec.model) });
    return path;
  };
  return {
    fetch: (spec, signal) => {
      const blob = spec.base.parameters;
      const known = fetching.get(blob);
      if (known !== undefined) return known;
      const path = download(spec, signal);
      fetching.set(blob, path);
      // A failed download is tried again by whoever asks next.
      path.catch(() => fetching.delete(blob));
      for (const old of [...fetching.keys()].slice(0, -keptBases)) {
        fetching.delete(old);
        void rm(join(folder, `${old}.base`), { force: true }).catch(() => {});
      }
      return path;
    },
  };
}

/** The solver's published trace, or null when it is missing, cut short, or not the one committed on chain. */
export async function fetchLeaves(
  sot: BlobClient,
  submission: Submission,
  innerSteps: number,
  signal: AbortSignal,
): Promise<Hex32[] | null> {
  try {
    const bytes = await sot.getBytes(submission.leavesBlob, { maxBytes: (innerSteps + 1) * 32, signal });
    const leaves = bytes.length === (innerSteps + 1) * 32 ? decodeLeaves(bytes) : [];
    return leaves.length > 0 && traceRoot(leaves) === submission.traceRoot ? leaves : null;
  } catch (error) {
    signal.throwIfAborted();
    if (isUnusableBlob(error)) return null;
    throw error;
  }
}

/** The blob can not be had, or is not what its name says: the uploader's fault, not the network's. */
export function isUnusableBlob(error: unknown): boolean {
  return error instanceof PanthaliaError && (error.family === 'notFound' || error.family === 'check');
}
