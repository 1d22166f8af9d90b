/** What a task names by hash, fetched and held against the chain before anything is computed from it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BlobClient } from '../data/blobClient.js';
import { PanthaliaError } from '../errors.js';
import type { TaskView } from '../protocol/marketView.js';
import { parameterCount } from '../protocol/stateTree.js';
import type { Hex32, Opset, Submission, TaskSpec } from '../protocol/task.js';
import { decodeLeaves, traceRoot } from '../protocol/trace.js';

const maxSpecBytes = 16 * 1024 * 1024;
/** Rounds whose inputs are kept: this one's, and those before for late audits and disputes. */
const keptRounds = 3;

const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((value) => value as Hex32);
/** Bits of a finite number: with NaN or Inf nobody computes. */
const fp32 = z
  .int()
  .min(0)
  .max(0xffff_ffff)
  .refine((bits) => ((bits >>> 23) & 0xff) !== 0xff, 'the bits of a finite fp32');
const count = z.int().positive();

/** The bytes are bound to the chain by their hash, but a buyer chose them. */
const specFields = {
  schema: z.literal('panthalia-task/1'),
  jobId: hex32,
  round: z.int().nonnegative(),
  model: z.strictObject({
    vocabSize: count,
    blockSize: count,
    layers: count,
    heads: count,
    width: count,
    gelu: z.enum(['erf', 'tanh']).exactOptional(),
  }),
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
};
const specSchema = z.discriminatedUnion('opset', [
  z.strictObject({ ...specFields, opset: z.literal('canon-f32-v1') }),
  z.strictObject({ ...specFields, opset: z.literal('torch'), threads: count }),
]);

/** What the tasks of a round share, fetched once. */
export interface Inputs {
  /** The spec that the task names, checked against what the chain says about the task.
   *  throws notFound/sot.blob_not_found, check/spec.malformed, check/spec.contradicts_chain, check/spec.other_opset */
  spec(task: TaskView, signal: AbortSignal): Promise<TaskSpec>;
  /** File of the base parameters; the last few are kept.  throws notFound/sot.blob_not_found, check/sot.* */
  base(spec: TaskSpec, signal: AbortSignal): Promise<string>;
}

export interface InputsOptions {
  sot: BlobClient;
  /** for files */
  folder: string;
  /** the only one whose tasks are computed */
  opset: Opset;
}

export function createInputs({ sot, folder, opset }: InputsOptions): Inputs {
  const specs = new Map<Hex32, Promise<TaskSpec>>();
  const bases = new Map<Hex32, Promise<string>>();
  return {
    spec: async (task, signal) => {
      const { specHash } = task;
      const maxBytes = maxSpecBytes;
      const fetchSpec = async () => parseSpec(await sot.getBytes(specHash, { maxBytes, signal }), specHash);
      const { value } = remembered(specs, specHash, fetchSpec);
      const spec = await value;
      checkAgainstChain(spec, task);
      checkOpset(spec, task, opset);
      return spec;
    },
    base: async (spec, signal) => {
      const blob = spec.base.parameters;
      const maxBytes = 4 * parameterCount(spec.model);
      const path = (id: Hex32) => join(folder, `${id}.base`);
      const download = async () => {
        await sot.getToFile(blob, path(blob), { signal, maxBytes });
        return path(blob);
      };
      const { value, forgotten } = remembered(bases, blob, download);
      // A trainer reads its base when it starts, and the newest few are never forgotten.
      await Promise.all(forgotten.map((id) => rm(path(id), { force: true })));
      return value;
    },
  };
}

/** The value under `key`, made once for all who ask at the same time; the oldest keys are forgotten. A failure is not kept. */
function remembered<T>(
  known: Map<Hex32, Promise<T>>,
  key: Hex32,
  make: () => Promise<T>,
): { value: Promise<T>; forgotten: Hex32[] } {
  const value = known.get(key) ?? make();
  known.delete(key);
  known.set(key, value);
  value.catch(() => {
    if (known.get(key) === value) known.delete(key);
  });
  const forgotten = [...known.keys()].slice(0, -keptRounds);
  for (const old of forgotten) known.delete(old);
  return { value, forgotten };
}

function checkAgainstChain(spec: TaskSpec, task: TaskView): void {
  const pairs: [string, unknown, unknown][] = [
    ['job', task.jobId, spec.jobId],
    ['round', task.round, spec.round],
    ['number of inner steps', task.terms.innerSteps, spec.innerSteps],
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
}

function checkOpset({ opset: received }: TaskSpec, { taskId }: TaskView, expected: Opset): void {
  if (received === expected) return;
  const sentence = `Task ${taskId} asks for opset ${received}, and ${expected} is computed here.`;
  throw new PanthaliaError('check', sentence, {
    code: 'spec.other_opset',
    details: { taskId, expected, received },
    next: `pass --opset ${received} to risk stake on it`,
  });
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

/** The task's numbers are none that the engine computes with, or none that fit this machine: the buyer chose them. */
export function isUnsolvable(error: unknown): boolean {
  return error instanceof PanthaliaError && unsolvable.has(error.code);
}

const unsolvable = new Set(['engine.value_out_of_range', 'engine.shape_mismatch', 'engine.out_of_memory']);
