/** What a task is, before anyone runs it: pure data, hashed, posted on chain. */

/** 32 bytes as lower-case hex with 0x. */
export type Hex32 = `0x${string}`;
export function hex32(bytes: Uint8Array): Hex32 {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

/** 20 bytes as checksummed hex with 0x. */
export type Address = `0x${string}`;
/** The bits of an fp32 as an unsigned 32-bit integer, so that JSON can not round it. */
export type Fp32Bits = number;

/** nanoGPT without biases: token and position embedding, `layers` blocks, final LayerNorm, tied head. */
export interface ModelShape {
  vocabSize: number;
  /** T at most */
  blockSize: number;
  layers: number;
  heads: number;
  /** C, a multiple of heads */
  width: number;
  /** nanoGPT's erf form when absent, or GPT-2's tanh */
  gelu?: 'erf' | 'tanh';
}

/** `canon-f32-v1` is ours (docs/opset-canon-f32-v1.md), the same bits on every machine; `torch` is libtorch's arithmetic, whose
 *  bits depend on the machine. */
export type Opset = 'canon-f32-v1' | 'torch';

/** Scalars of one inner step, computed once in double by the master and rounded to fp32.
 *  source: Loshchilov & Hutter 2019, algorithm 2, in the form of docs/protocol.md */
export interface StepScalars {
  /** lr_k / (1 - beta1^k), k from 1 */
  stepSize: Fp32Bits;
  /** 1 / sqrt(1 - beta2^k) */
  secondMomentScale: Fp32Bits;
  /** 1 - lr_k * weightDecay, applied to tensors of two dimensions only */
  decay: Fp32Bits;
}

export interface InnerConstants {
  beta1: Fp32Bits;
  oneMinusBeta1: Fp32Bits;
  beta2: Fp32Bits;
  oneMinusBeta2: Fp32Bits;
  epsilon: Fp32Bits;
  /** gradients are scaled by min(1, clipNorm / (norm + 1e-6)) */
  clipNorm: Fp32Bits;
}

/** Everything the solver of any slot of one round needs. Its canonical JSON is a blob; the blob's id is `specHash` on chain.
 *  The slot itself is part of the task on chain. */
export interface TaskSpec {
  schema: 'panthalia-task/1';
  /** id of the run manifest blob */
  jobId: Hex32;
  round: number;
  opset: Opset;
  /** intra-op threads, of opset `torch` only: its bits depend on them */
  threads?: number;
  model: ModelShape;
  base: {
    /** state root of (theta, m = 0, v = 0) */
    stateRoot: Hex32;
    /** blob of theta: little-endian fp32, manifest order */
    parameters: Hex32;
  };
  /** id of the dataset manifest */
  dataset: Hex32;
  /** run seed: batches and initialisation derive from it */
  seed: Hex32;
  slotsPerRound: number;
  /** H */
  innerSteps: number;
  batch: { rows: number; tokens: number };
  inner: InnerConstants;
  /** one entry per inner step */
  scalars: StepScalars[];
}

/** Everything needed to reproduce a run. `spec(round, base)` is a pure function of it. */
export interface RunManifest {
  schema: 'panthalia-run/1';
  preset: string;
  opset: Opset;
  /** as in TaskSpec */
  threads?: number;
  model: ModelShape;
  dataset: Hex32;
  seed: Hex32;
  rounds: number;
  slotsPerRound: number;
  innerSteps: number;
  batch: { rows: number; tokens: number };
  inner: {
    learningRate: number;
    /** inner steps of linear warm-up, counted over the whole run: round * innerSteps + step */
    warmupSteps: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
    clipNorm: number;
  };
  outer: { learningRate: number; momentum: number };
  /** held-out windows evaluated after every outer step */
  validationWindows: number;
}

/** What a solver commits to on chain. */
export interface Submission {
  /** keccak-256 tree over S_0 .. S_H */
  traceRoot: Hex32;
  /** blob of theta after H inner steps */
  resultRoot: Hex32;
  /** blob of the H + 1 trace leaves, 32 bytes each */
  leavesBlob: Hex32;
}
