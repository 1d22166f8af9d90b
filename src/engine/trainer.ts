/** The engine as the roles see it: typed, with errors translated and aborts wired. Tensors stay on the native side. */
import { PanthaliaError } from '../errors.js';
import { fp32Bits } from '../protocol/spec.js';
import {
  type Hex32,
  hex32,
  type InnerConstants,
  type ModelShape,
  type Opset,
  type StepScalars,
} from '../protocol/task.js';
import type { NativeFile, NativeIsa, NativeTrainer } from './addon.d.ts';
import { engineError } from './engineError.js';
import { loadAddon } from './loadAddon.js';

/** Instruction sets that the kernels of `canon-f32-v1` are compiled for. */
export type Isa = NativeIsa;

export interface TrainerOptions {
  opset: Opset;
  device: 'cpu' | 'cuda';
  /** intra-op threads; opset `torch`: part of the numeric class, one value per process */
  threads: number;
  /** `canon-f32-v1` on the CPU; the best of the CPU when absent. No bit depends on it. */
  isa?: Isa;
  /** opset `torch`: of products and attention; fp32 when absent */
  precision?: 'fp32' | 'bf16';
  model: ModelShape;
  batch: { rows: number; tokens: number };
  /** batches whose gradients are added, in order, to make one inner step; 1 when absent */
  microBatches?: number;
  inner: InnerConstants;
}

/** inputs, targets: int32 (B, T) row-major, values in [0, V); an inner step takes (microBatches, B, T). */
export interface Batch {
  inputs: Int32Array;
  targets: Int32Array;
}

export interface StepResult {
  /** nats per token, before the update */
  loss: number;
  /** L2 over all gradients, before clipping */
  gradientNorm: number;
  milliseconds: number;
}

export interface ParameterFile {
  /** sha-256 of the bytes: the blob id */
  sha256: Hex32;
  sizeBytes: number;
}

/** Owns theta, m, v of one model on its own native thread. One call at a time; a second one throws `engine.busy`. */
export interface Trainer extends AsyncDisposable {
  readonly parameterCount: number;
  /** GPT-2 initialisation from our own counter-based generator; m = v = 0.  seed: 32 bytes */
  initialise(seed: Hex32): Promise<void>;
  /** theta from a file of exactly 4 * parameterCount bytes, little-endian fp32; m = v = 0.
   *  throws `engine.io`, `engine.shape_mismatch` (size), `engine.invalid_state` (NaN or Inf) */
  loadParameters(path: string): Promise<void>;
  /** Writes theta to path (temporary file, fsync, rename). */
  saveParameters(path: string): Promise<ParameterFile>;
  /** theta | m | v as `saveState` wrote them after `step` >= 1 inner steps: the next step has the bits that it has without a break.
   *  The file has exactly 12 * parameterCount bytes.  throws as loadParameters, `engine.value_out_of_range` (step) */
  loadState(path: string, step: number): Promise<void>;
  /** Writes theta | m | v to path, little-endian fp32 (temporary file, fsync, rename). */
  saveState(path: string): Promise<ParameterFile>;
  /** Forward, loss, backward, clip, AdamW. An abort before the update leaves the state as it was.
   *  throws `engine.shape_mismatch`, `engine.value_out_of_range`, `engine.invalid_state`, `engine.aborted`
   *  source: Loshchilov & Hutter 2019, algorithm 2 */
  innerStep(batch: Batch, scalars: StepScalars, signal?: AbortSignal): Promise<StepResult>;
  /** Mean loss in nats per token, no update. */
  evaluate(batch: Batch, signal?: AbortSignal): Promise<number>;
  /** Merkle root over theta | m | v; twin: protocol/stateTree.ts */
  stateRoot(): Promise<Hex32>;
  /** Merkle root over the gradients of the last inner step, before clipping; zeros before the first one.
   *  throws `engine.invalid_state` where an aborted step has overwritten them */
  gradientRoot(): Promise<Hex32>;
  /** Frees the arenas and joins the thread. Twice is harmless. */
  dispose(): Promise<void>;
}

/** Plans activations for one (rows, tokens) shape and starts the native thread. The state is invalid until
 *  `initialise` or `loadParameters`.  throws `engine.no_cuda`, `engine.value_out_of_range`, `engine.not_built` */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const addon = await loadAddon();
  const { batch, microBatches = 1, ...rest } = options;
  try {
    return new AddonTrainer(
      new addon.NativeTrainer({ ...rest, rows: batch.rows, tokens: batch.tokens, microBatches }),
    );
  } catch (error) {
    throw engineError(error);
  }
}

export interface OuterStepOptions {
  model: ModelShape;
  /** file of theta_t */
  base: string;
  /** file of the momentum buffer, or null at round 0 */
  momentum: string | null;
  /** files of theta after H inner steps, in slot order */
  results: string[];
  learningRate: number;
  outerMomentum: number;
  outParameters: string;
  outMomentum: string;
}

export interface OuterStepResult {
  parameters: ParameterFile;
  momentum: ParameterFile;
  /** state root of (theta_{t+1}, 0, 0): the base of the next round's tasks */
  stateRoot: Hex32;
}

/** Nesterov outer step on the mean pseudo-gradient, elementwise, summed in slot order.
 *  source: Douillard et al. 2023 (2311.08105), algorithm 1, in PyTorch's form */
export async function outerStep(options: OuterStepOptions): Promise<OuterStepResult> {
  const addon = await loadAddon();
  const native = {
    ...options,
    learningRate: fp32Bits(options.learningRate),
    outerMomentum: fp32Bits(options.outerMomentum),
  };
  const result = await translated(addon.applyOuterStep(native));
  return {
    parameters: parameterFile(result.parameters),
    momentum: parameterFile(result.momentum),
    stateRoot: result.stateRoot as Hex32,
  };
}

/** The state root of (theta, 0, 0) for a parameter file, and the file's hash. Rejects a wrong size, NaN and Inf. */
export async function parameterFileRoot(
  model: ModelShape,
  path: string,
): Promise<{ stateRoot: Hex32; file: ParameterFile }> {
  const addon = await loadAddon();
  const result = await translated(addon.stateRootOfFile(model, path));
  return { stateRoot: result.stateRoot as Hex32, file: parameterFile(result.file) };
}

class AddonTrainer implements Trainer {
  readonly parameterCount: number;
  readonly #native: NativeTrainer;

  constructor(native: NativeTrainer) {
    this.#native = native;
    this.parameterCount = native.parameterCount;
  }

  initialise(seed: Hex32): Promise<void> {
    return translated(this.#native.initialise(Buffer.from(seed.slice(2), 'hex')));
  }

  loadParameters(path: string): Promise<void> {
    return translated(this.#native.loadParameters(path));
  }

  async saveParameters(path: string): Promise<ParameterFile> {
    return parameterFile(await translated(this.#native.saveParameters(path)));
  }

  loadState(path: string, step: number): Promise<void> {
    return translated(this.#native.loadState(path, step));
  }

  async saveState(path: string): Promise<ParameterFile> {
    return parameterFile(await translated(this.#native.saveState(path)));
  }

  innerStep(batch: Batch, scalars: StepScalars, signal?: AbortSignal): Promise<StepResult> {
    return this.#abortable(signal, () => this.#native.innerStep(batch.inputs, batch.targets, scalars));
  }

  evaluate(batch: Batch, signal?: AbortSignal): Promise<number> {
    return this.#abortable(signal, () => this.#native.evaluate(batch.inputs, batch.targets));
  }

  async stateRoot(): Promise<Hex32> {
    return hex32(await translated(this.#native.stateRoot()));
  }

  async gradientRoot(): Promise<Hex32> {
    return hex32(await translated(this.#native.gradientRoot()));
  }

  dispose(): Promise<void> {
    return translated(this.#native.dispose());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #abortable<Result>(signal: AbortSignal | undefined, call: () => Promise<Result>): Promise<Result> {
    if (signal?.aborted) {
      throw new PanthaliaError('error', 'the engine call was aborted before it began', {
        code: 'engine.aborted',
        cause: signal.reason,
      });
    }
    const running = translated(call());
    const onAbort = () => this.#native.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await running;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

function parameterFile(file: NativeFile): ParameterFile {
  return { sha256: file.sha256 as Hex32, sizeBytes: file.sizeBytes };
}

async function translated<Result>(running: Promise<Result>): Promise<Result> {
  try {
    return await running;
  } catch (error) {
    throw engineError(error);
  }
}
