/** Small trainings that two implementations can be compared on: what tests/fixtures/canon.json was made from. */
import { createHash } from 'node:crypto';
import type { Hex32, InnerConstants, ModelShape, StepScalars } from '../../../src/protocol/task.js';
import { type Binary32, bits, value } from './binary32.js';
import { erf, exp, log, tanh } from './elementary.js';
import { initialise } from './initialise.js';
import { constantsOf, scalarsOf } from './scalars.js';
import { groupRoot, stateRoot } from './stateRoot.js';
import { innerStep, type State } from './step.js';

export interface TrainingCase {
  name: string;
  model: ModelShape;
  batch: { rows: number; tokens: number };
  microBatches: number;
  seed: Hex32;
  inner: InnerConstants;
  /** one entry per inner step */
  scalars: StepScalars[];
}

export interface TrainingStep {
  /** fp32 bits; absent in step 0 */
  loss?: number;
  norm?: number;
  stateRoot: Hex32;
  /** zeros in step 0 */
  gradientRoot: Hex32;
}

interface Shape {
  name: string;
  model: ModelShape;
  batch: TrainingCase['batch'];
  microBatches?: number;
  learningRate?: number;
  clipNorm?: number;
  beta1?: number;
  /** where one operator is what the case is about, and a step takes seconds */
  steps?: number;
}

function trainingCase({ microBatches = 1, steps = 3, ...options }: Shape): TrainingCase {
  const { learningRate = 0.01, clipNorm = 0.5, beta1 = 0.9, ...shape } = options;
  const inner = {
    ...{ learningRate, warmupSteps: 2, beta1, beta2: 0.99, epsilon: 1e-8 },
    ...{ weightDecay: 0.1, clipNorm },
  };
  const constants = { inner: constantsOf(inner), scalars: scalarsOf(inner, steps) };
  return { ...shape, microBatches, seed: `0x${'07'.repeat(32)}`, ...constants };
}

export const trainingCases: readonly TrainingCase[] = [
  {
    name: 'two layers, erf, two micro-batches',
    model: { vocabSize: 61, blockSize: 24, layers: 2, heads: 2, width: 32, gelu: 'erf' } as const,
    ...{ batch: { rows: 2, tokens: 21 }, microBatches: 2 },
  },
  {
    name: 'tanh, tails everywhere, more positions than a tile of attention',
    model: { vocabSize: 37, blockSize: 131, layers: 1, heads: 3, width: 21, gelu: 'tanh' } as const,
    ...{ batch: { rows: 1, tokens: 131 }, clipNorm: 10 },
  },
  {
    name: 'more than 1024 positions: gradients of weights in two parts',
    model: { vocabSize: 11, blockSize: 94, layers: 1, heads: 2, width: 6 },
    batch: { rows: 11, tokens: 94 },
  },
  {
    name: 'a vocabulary of more than 1024: gradients of the head in two parts',
    model: { vocabSize: 1031, blockSize: 5, layers: 1, heads: 1, width: 9 },
    batch: { rows: 3, tokens: 5 },
  },
  {
    name: 'tokens that never occur and lose all probability: subnormal exp',
    model: { vocabSize: 31, blockSize: 2, layers: 1, heads: 1, width: 24 },
    ...{ batch: { rows: 1, tokens: 2 }, learningRate: 2, clipNorm: 100, beta1: 0 },
  },
  {
    name: 'steps so large that exp, erf and the softmax reach their ends, erf',
    model: { vocabSize: 61, blockSize: 70, layers: 2, heads: 2, width: 22 },
    ...{ batch: { rows: 1, tokens: 67 }, learningRate: 3 },
  },
  {
    name: 'steps so large that exp, tanh and the softmax reach their ends, tanh',
    model: { vocabSize: 61, blockSize: 70, layers: 2, heads: 2, width: 22, gelu: 'tanh' } as const,
    ...{ batch: { rows: 1, tokens: 67 }, learningRate: 3 },
  },
  {
    name: 'a clip norm so small that gradients and first moments are subnormal',
    model: { vocabSize: 13, blockSize: 9, layers: 1, heads: 2, width: 10 },
    ...{ batch: { rows: 2, tokens: 9 }, clipNorm: 1e-37 },
  },
  {
    name: 'a width of 258: products of the forward pass over 4 C = 1032 in two parts',
    model: { vocabSize: 5, blockSize: 2, layers: 1, heads: 3, width: 258 },
    ...{ batch: { rows: 1, tokens: 2 }, steps: 1 },
  },
  {
    name: 'attention over more than 1024 positions: its products in two parts, which end where the position is 1024',
    model: { vocabSize: 7, blockSize: 1030, layers: 1, heads: 1, width: 4 },
    ...{ batch: { rows: 1, tokens: 1030 }, steps: 1 },
  },
  {
    name: 'more than 64 rows: gradients of positions in two chunks',
    model: { vocabSize: 7, blockSize: 3, layers: 1, heads: 2, width: 4 },
    batch: { rows: 67, tokens: 2 },
  },
  {
    name: 'one token, one row, one of everything',
    model: { vocabSize: 2, blockSize: 1, layers: 1, heads: 1, width: 1 },
    batch: { rows: 1, tokens: 1 },
  },
].map(trainingCase);

/** Of step k = 1, 2, ..: (A, B, T) each.  token(i) = (7919 (i + 1009 k) + (i * i mod 101)) mod V;  input j is token(j), target j token(j + 1) */
export function batchOf({ model, batch, microBatches }: TrainingCase, k: number) {
  const count = microBatches * batch.rows * batch.tokens;
  const token = (i: number) => (7919 * (i + 1009 * k) + ((i * i) % 101)) % model.vocabSize;
  return {
    inputs: Int32Array.from({ length: count }, (_, j) => token(j)),
    targets: Int32Array.from({ length: count }, (_, j) => token(j + 1)),
  };
}

/** All steps of the naive implementation, with the state they lead to; the state is the same object every time. */
export function* naiveTraining(training: TrainingCase): Generator<TrainingStep & { state: State }> {
  const { model, batch, microBatches, seed, inner, scalars } = training;
  const state = initialise(model, seed);
  yield { stateRoot: stateRoot(state), gradientRoot: `0x${'00'.repeat(32)}`, state };
  for (const [index, stepScalars] of scalars.entries()) {
    const options = { model, ...batch, microBatches, inner };
    const { loss, norm, gradient } = innerStep(state, options, batchOf(training, index + 1), stepScalars);
    const roots = { stateRoot: stateRoot(state), gradientRoot: groupRoot(gradient) };
    yield { loss: bits(loss) >>> 0, norm: bits(norm) >>> 0, ...roots, state };
  }
}

/** SHA-256 of the results of exp, erf, tanh and log for the patterns 0, stride, 2 stride .. below 2^32, u32le, NaN as 0x7fc00000. */
export function elementaryDigests(stride: number): Record<string, Hex32> {
  const count = Math.ceil(2 ** 32 / stride);
  const digest = (f: (x: Binary32) => Binary32): Hex32 => {
    const results = Buffer.alloc(4 * count);
    for (let i = 0; i < count; i++) {
      const y = f(value(i * stride));
      results.writeUInt32LE(Number.isNaN(y) ? 0x7fc00000 : bits(y) >>> 0, 4 * i);
    }
    return `0x${createHash('sha256').update(results).digest('hex')}`;
  };
  return { exp: digest(exp), erf: digest(erf), tanh: digest(tanh), log: digest(log) };
}

/** The content of tests/fixtures/canon.json. */
export function canonFixture(): unknown {
  const about = [
    'opset canon-f32-v1; written by scripts/generateCanonFixture.mjs from tests/helpers/naiveCanon; loss, norm, inner and scalars are fp32 bits',
    'a model without gelu has the erf form',
    'step k consumes inputs token(0), token(1) .. and targets token(1), token(2) .., (microBatches, rows, tokens) each',
    'token(i) = (7919 (i + 1009 k) + (i * i mod 101)) mod vocabSize',
    'elementary: SHA-256 of the results for the patterns 0, stride, 2 stride .. below 2^32 as u32le, NaN as 0x7fc00000',
  ];
  const cases = trainingCases.map((training) => ({
    ...training,
    steps: Array.from(naiveTraining(training), ({ state: _, ...step }) => step),
  }));
  const stride = 16_381;
  return { about, elementary: { stride, ...elementaryDigests(stride) }, cases };
}
