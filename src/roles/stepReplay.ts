/** One transition of a task, made again from the state before it: what a dispute costs its verifiers. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { parameterCount } from '../protocol/stateTree.js';
import type { Hex32, TaskSpec } from '../protocol/task.js';
import { type Transition, traceLeafOfBytes, transitionBytes, transitionSize } from '../protocol/trace.js';
import {
  baseLeaf,
  makeStep,
  type ReplayOptions,
  type StepOutcome,
  type StepPlace,
  startAtBase,
  timed,
} from './replay.js';

/** Bytes of the blob of X_k: theta | m | v, then what belongs to the step that led there. */
export function stateBlobSize(spec: TaskSpec): number {
  return 12 * parameterCount(spec.model) + transitionSize;
}

/** Computes X_k, k >= 1, and writes its blob.  The caller deletes the file. */
export async function makeStateBlob(options: ReplayOptions, k: number): Promise<string> {
  const { taskId, scratch, turn } = options;
  await using trainer = await startAtBase(options);
  let last: StepOutcome | null = null;
  for (let step = 1; step <= k; step++) last = await makeStep(trainer, options, step);
  if (last === null) throw new RangeError(`X_0 is the base; no blob is made of X_${k}`);
  const file = join(scratch, `${taskId}-${crypto.randomUUID()}.state`);
  try {
    await turn(() => trainer.saveState(file));
    await append(file, transitionBytes(last.transition));
    return file;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function append(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

export interface StepReplay {
  /** S_k and S_{k+1} by our own computation; S_k is the published state's where there was one */
  before: Hex32;
  after: Hex32;
  stateRoot: Hex32;
  transition: Transition;
  /** sha-256 of theta after the last step of the task; null before that */
  resultRoot: Hex32 | null;
  /** how many inner steps were made for it */
  steps: number;
  /** spent in the engine */
  computeSeconds: number;
}

/** Where to begin: at X_k, from the file of its blob, which is used up, and S_k; or at the base, also a file. */
export type StepStart = { state: string; before: Hex32 } | { base: string };

/** The transition k -> k + 1.
 *  throws check/state.wrong when the file is not the state that `before` commits to; check/base.wrong_state; the signal's reason */
export async function replayStep(
  options: Omit<ReplayOptions, 'base'>,
  k: number,
  start: StepStart,
): Promise<StepReplay> {
  const { spec, scratch, taskId } = options;
  const { turn, seconds } = timed(options.turn);
  const place = { ...options, turn };
  await using trainer = await ('base' in start
    ? startAtBase({ ...place, base: start.base })
    : startAtState(place, k, start));
  let before = 'base' in start ? baseLeaf(place) : start.before;
  let steps = 0;
  if ('base' in start) {
    for (; steps < k; steps++) before = (await makeStep(trainer, place, steps + 1)).leaf;
  }
  const { leaf: after, stateRoot, transition } = await makeStep(trainer, place, k + 1);
  steps += 1;
  let resultRoot: Hex32 | null = null;
  if (k + 1 === spec.innerSteps) {
    const file = join(scratch, `${taskId}-${crypto.randomUUID()}.theta`);
    try {
      ({ sha256: resultRoot } = await turn(() => trainer.saveParameters(file)));
    } finally {
      await rm(file, { force: true });
    }
  }
  return { before, after, stateRoot, transition, resultRoot, steps, computeSeconds: seconds() };
}

/** A trainer that holds X_k as somebody published it, once that is the state that S_k commits to. */
async function startAtState(
  { taskId, spec, compute, turn, signal }: StepPlace,
  k: number,
  { state, before }: { state: string; before: Hex32 },
) {
  signal.throwIfAborted();
  const transition = await cutTransition(state, stateBlobSize(spec));
  const trainer = await turn(() => compute.createTrainer(spec));
  try {
    await turn(() => trainer.loadState(state, k)).catch((cause) => {
      throw unusableState(k, cause);
    });
    const stateRoot = await turn(() => trainer.stateRoot());
    const { opset } = spec;
    const received = traceLeafOfBytes({ taskId, opset, step: k, stateRoot, transition });
    if (received !== before) throw wrongState(k, before, received);
    return trainer;
  } catch (error) {
    await trainer.dispose();
    throw error;
  }
}

/** The last bytes of the file, which the trainer does not read. */
async function cutTransition(path: string, expected: number): Promise<Uint8Array> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    if (size !== expected) throw wrongSize(expected, size);
    const bytes = Buffer.alloc(transitionSize);
    await file.read(bytes, 0, transitionSize, size - transitionSize);
    await file.truncate(size - transitionSize);
    return bytes;
  } finally {
    await file.close();
  }
}

/** NaN, for one. */
function unusableState(k: number, cause: Error): PanthaliaError {
  return new PanthaliaError('check', `The published state ${k} can not be used: ${cause.message}`, {
    code: 'state.wrong',
    details: { step: k },
    cause,
  });
}

function wrongState(k: number, expected: Hex32, received: Hex32): PanthaliaError {
  return new PanthaliaError(
    'check',
    `The published state ${k} has leaf ${received}, the trace has ${expected}.`,
    {
      code: 'state.wrong',
      details: { step: k, expected, received },
    },
  );
}

function wrongSize(expected: number, received: number): PanthaliaError {
  return new PanthaliaError(
    'check',
    `A published state has ${expected} bytes for this model, received ${received}.`,
    {
      code: 'state.wrong',
      details: { expected, received },
    },
  );
}
