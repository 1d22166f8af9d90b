/** The whole native surface. Nothing else crosses: batches go in; scalars, 32-byte roots and file hashes come out.
 *  A call during another one rejects with BUSY; it never throws. A constructor or a plain function throws.
 *  Every method that computes runs on the trainer's own native thread and returns a promise; one call at a time per trainer.
 *  Errors carry `code`: SHAPE_MISMATCH, VALUE_OUT_OF_RANGE, INVALID_STATE, OUT_OF_MEMORY, IO, ABORTED, DISPOSED, BUSY, TORCH, NO_CUDA. */

export interface NativeModelShape {
  vocabSize: number;
  blockSize: number;
  layers: number;
  heads: number;
  width: number;
  /** nanoGPT's form when absent, or GPT-2's */
  gelu?: 'erf' | 'tanh';
}

/** fp32 values given as their bits (uint32). */
export interface NativeInnerConstants {
  beta1: number;
  oneMinusBeta1: number;
  beta2: number;
  oneMinusBeta2: number;
  epsilon: number;
  clipNorm: number;
}

export interface NativeStepScalars {
  stepSize: number;
  secondMomentScale: number;
  decay: number;
}

export type NativeIsa = 'scalar' | 'avx2' | 'avx512';

export interface NativeTrainerOptions {
  opset: 'canon-f32-v1' | 'torch';
  device: 'cpu' | 'cuda';
  /** `torch`: one number per process */
  threads: number;
  /** `canon-f32-v1` on the CPU: the instruction set of the kernels; the best of the CPU when absent. No bit depends on it. */
  isa?: NativeIsa;
  /** `torch`: of products and attention; fp32 when absent */
  precision?: 'fp32' | 'bf16';
  model: NativeModelShape;
  /** B and T: activations are planned once for this shape */
  rows: number;
  tokens: number;
  /** batches of (B, T) whose gradients make one inner step */
  microBatches: number;
  inner: NativeInnerConstants;
}

export interface NativeStepResult {
  /** nats per token, before the update */
  loss: number;
  /** L2 over all gradients, before clipping */
  gradientNorm: number;
  milliseconds: number;
}

export interface NativeFile {
  /** sha-256 of the bytes, 0x hex */
  sha256: string;
  sizeBytes: number;
}

export declare class NativeTrainer {
  constructor(options: NativeTrainerOptions);
  readonly parameterCount: number;
  /** GPT-2 initialisation from our counter-based generator; m = v = 0.  seed: 32 bytes */
  initialise(seed: Uint8Array): Promise<void>;
  /** theta from a file of exactly 4 * parameterCount bytes, little-endian fp32; m = v = 0. Rejects NaN and Inf. */
  loadParameters(path: string): Promise<void>;
  /** Writes theta to path (temporary file, fsync, rename). */
  saveParameters(path: string): Promise<NativeFile>;
  /** theta | m | v after `step` >= 1 inner steps, from a file of exactly 12 * parameterCount bytes, little-endian fp32.
   *  Rejects NaN and Inf. */
  loadState(path: string, step: number): Promise<void>;
  /** Writes theta | m | v to path (temporary file, fsync, rename). */
  saveState(path: string): Promise<NativeFile>;
  /** inputs, targets: int32 (microBatches, B, T), values in [0, V).  source: Loshchilov & Hutter 2019, algorithm 2 */
  innerStep(inputs: Int32Array, targets: Int32Array, scalars: NativeStepScalars): Promise<NativeStepResult>;
  /** Mean loss in nats per token of one (B, T), no update. */
  evaluate(inputs: Int32Array, targets: Int32Array): Promise<number>;
  /** 32 bytes: Merkle root over theta | m | v (docs/protocol.md, state tree). */
  stateRoot(): Promise<Uint8Array>;
  /** 32 bytes: Merkle root over the gradients of the last inner step before clipping; zeros before the first one.
   *  Rejects with INVALID_STATE where an aborted step has overwritten them. */
  gradientRoot(): Promise<Uint8Array>;
  /** The call in flight rejects with ABORTED at its next operator. An inner step that was aborted leaves the state as it was. */
  abort(): void;
  /** Frees the arenas and joins the thread. Twice is harmless. */
  dispose(): Promise<void>;
}

export interface NativeOuterStepOptions {
  model: NativeModelShape;
  /** file of theta_t */
  base: string;
  /** file of the momentum buffer, or null at round 0 (momentum = 0) */
  momentum: string | null;
  /** files of theta after H inner steps, in slot order */
  results: string[];
  /** fp32 bits */
  learningRate: number;
  outerMomentum: number;
  outParameters: string;
  outMomentum: string;
}

/** Nesterov outer step in PyTorch's form on the mean pseudo-gradient:  d = (sum_r (theta - theta_r)) / M ascending;
 *  m = mu m + d;  theta = fma(-lr, fma(mu, m, d), theta).  source: Douillard et al. 2023 (2311.08105), algorithm 1 */
export declare function applyOuterStep(options: NativeOuterStepOptions): Promise<{
  parameters: NativeFile;
  momentum: NativeFile;
  /** state root of (theta_{t+1}, 0, 0) */
  stateRoot: string;
}>;

/** The state root of (theta, 0, 0) for a parameter file, and its hash. */
export declare function stateRootOfFile(
  model: NativeModelShape,
  path: string,
): Promise<{ stateRoot: string; file: NativeFile }>;

export declare function parameterLayout(
  model: NativeModelShape,
): { name: string; shape: number[]; offset: number; length: number }[];

export declare function buildInfo(): {
  torchVersion: string;
  compiler: string;
  /** what ATen dispatches to */
  cpuCapability: string;
  /** what `canon-f32-v1` can use on this CPU, the best one last */
  isa: NativeIsa[];
};

/** Why this process can not use device cuda, in a sentence; empty where it can. Opens the driver. */
export declare function cudaProblem(): string;

/** The device that device cuda means. Throws NO_CUDA. */
export declare function cudaDeviceName(): string;
