/** A mini-training that touches every operator of `canon-f32-v1` with shapes that fit no tile, and one digest over all of it.
 *  Two implementations that print the same digest compute the same bits.
 *  source: docs/opset-canon-f32-v1.md, section 8 */
import { createHash, type Hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { fp32Bits, innerConstants, stepScalars } from '../protocol/spec.js';
import type { Hex32, ModelShape } from '../protocol/task.js';
import { type Batch, createTrainer, outerStep, type TrainerOptions } from './trainer.js';

export const conformanceDefaults = { steps: 64, shortSteps: 4, seed: 0 } as const;

/** Digests of seed 0 by number of steps, as the document has them. */
export const pinnedDigests: Readonly<Record<number, Hex32>> = {
  4: '0x98bbd86ec5c2411939900a503bb7004c35b3686154a9aa9e58606c2aa4658fb4',
  64: '0x2b1811bc68fc1db7b0fb8037bbe9b089840cf72b59fb50248c0d09b32c335cb9',
};

export interface ConformanceOptions extends Pick<TrainerOptions, 'device' | 'threads' | 'isa'> {
  /** inner steps of each model */
  steps: number;
  seed: number;
  /** model and step just done, both from 1 */
  onStep?: (model: number, step: number) => void;
  signal?: AbortSignal | undefined;
}

interface Case {
  model: ModelShape;
  batch: { rows: number; tokens: number };
  microBatches: number;
}

/** Odd vocabularies, more than one block of 64 positions, widths that no vector divides. The first has sums of more than 1024
 *  products over the vocabulary and adds gradients; the second has them over its 1179 positions. */
export const conformanceCases: readonly Case[] = [
  {
    model: { vocabSize: 1031, blockSize: 83, layers: 2, heads: 3, width: 33 },
    batch: { rows: 2, tokens: 77 },
    microBatches: 2,
  },
  {
    model: { vocabSize: 67, blockSize: 131, layers: 1, heads: 2, width: 26, gelu: 'tanh' },
    batch: { rows: 9, tokens: 131 },
    microBatches: 1,
  },
];

const inner = {
  learningRate: 0.01,
  warmupSteps: 4,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.1,
  // Between the norms that the models begin and end with, so that steps are taken on both sides of it.
  clipNorm: 0.5,
};
const outer = { learningRate: 0.7, outerMomentum: 0.9 };
/** Few, and seen again and again: a model that learns them by heart reaches further into exp and erf than one that can not. */
const distinctBatches = 4;

/** SHA-256 over, for each model, the root of its first state; for each inner step, loss and gradient norm as u32be bits and the
 *  root of the state it leads to; and the roots of two outer steps.
 *  throws engine.* */
export async function conformanceDigest(options: ConformanceOptions): Promise<Hex32> {
  const seed: Hex32 = `0x${options.seed.toString(16).padStart(64, '0')}`;
  const digest = createHash('sha256');
  const folder = await mkdtemp(join(tmpdir(), 'panthalia-conformance-')).catch((cause) => {
    throw new PanthaliaError('error', `A folder in ${tmpdir()} can not be made: ${cause.message}.`, {
      code: 'engine.io',
      next: 'set TMPDIR to a folder that may be written',
      cause,
    });
  });
  try {
    for (const index of conformanceCases.keys()) await train(index, { ...options, seed, digest, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return `0x${digest.digest('hex')}`;
}

interface Training extends Omit<ConformanceOptions, 'seed'> {
  seed: Hex32;
  digest: Hash;
  /** for parameter files */
  folder: string;
}

async function train(index: number, training: Training): Promise<void> {
  const { device, threads, isa, steps, seed, digest, folder, onStep, signal } = training;
  const shape = conformanceCases[index] as Case;
  await using trainer = await createTrainer({
    ...{ opset: 'canon-f32-v1', device, threads, ...shape, inner: innerConstants({ inner }) },
    ...(isa === undefined ? {} : { isa }),
  });
  const thetaAfter = (step: number) => join(folder, `${index}.${step}`);
  const batches = Array.from({ length: distinctBatches }, (_, b) => conformanceBatch(seed, index, b));
  await trainer.initialise(seed);
  await trainer.saveParameters(thetaAfter(0));
  digest.update(bytes(await trainer.stateRoot()));
  for (const [k, scalars] of stepScalars({ inner, innerSteps: steps }, 0).entries()) {
    const batch = batches[k % distinctBatches] as Batch;
    const { loss, gradientNorm } = await trainer.innerStep(batch, scalars, signal);
    digest.update(u32be(fp32Bits(loss))).update(u32be(fp32Bits(gradientNorm)));
    digest.update(bytes(await trainer.stateRoot()));
    if (k === 0 || k === steps - 1) await trainer.saveParameters(thetaAfter(k + 1));
    onStep?.(index + 1, k + 1);
  }
  const results = [thetaAfter(1), thetaAfter(steps)];
  digest.update(await outerSteps(shape.model, { base: thetaAfter(0), results, folder }));
}

/** The roots of two outer steps over the same results, the second with the momentum of the first. */
async function outerSteps(
  model: ModelShape,
  { base, results, folder }: { base: string; results: string[]; folder: string },
): Promise<Buffer> {
  const [outParameters, outMomentum] = [join(folder, 'theta'), join(folder, 'momentum')];
  const common = { model, results, ...outer, outParameters, outMomentum };
  const first = await outerStep({ ...common, base, momentum: null });
  const second = await outerStep({ ...common, base: outParameters, momentum: outMomentum });
  return Buffer.concat([bytes(first.stateRoot), bytes(second.stateRoot)]);
}

/** Token j, of the inputs and then the targets: word j mod 8 of SHA-256("panthalia-conformance/1" | seed | u32le model |
 *  u32le batch | u32le floor(j / 8)), u32le, modulo the vocabulary. */
export function conformanceBatch(seed: Hex32, index: number, batch: number): Batch {
  const { model, batch: shape, microBatches } = conformanceCases[index] as Case;
  const count = microBatches * shape.rows * shape.tokens;
  const tokens = new Int32Array(2 * count);
  for (let block = 0; 8 * block < tokens.length; block++) {
    const words = createHash('sha256')
      .update('panthalia-conformance/1')
      .update(bytes(seed))
      .update(u32le(index))
      .update(u32le(batch))
      .update(u32le(block))
      .digest();
    for (let word = 0; word < 8 && 8 * block + word < tokens.length; word++) {
      tokens[8 * block + word] = words.readUInt32LE(4 * word) % model.vocabSize;
    }
  }
  return { inputs: tokens.subarray(0, count), targets: tokens.subarray(count) };
}

function bytes(hex: Hex32): Buffer {
  return Buffer.from(hex.slice(2), 'hex');
}

function u32be(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function u32le(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
