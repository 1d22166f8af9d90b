/** Small trainers and files for the engine tests: real addon, real files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, onTestFinished } from 'vitest';
import { ensureAddon } from '../../src/engine/buildAddon.js';
import { type Batch, createTrainer, type Trainer, type TrainerOptions } from '../../src/engine/trainer.js';
import { fp32Bits } from '../../src/protocol/spec.js';
import { parameterCount } from '../../src/protocol/stateTree.js';
import type { Hex32, ModelShape, StepScalars } from '../../src/protocol/task.js';

// Whoever imports this means the addon as the sources stand.
beforeAll(() => ensureAddon({ log: () => {} }), 600_000);

export const seed: Hex32 = `0x${'07'.repeat(32)}`;
export const otherSeed: Hex32 = `0x${'08'.repeat(32)}`;

/** Odd sizes on purpose: no dimension is a multiple of a vector width, but C of heads. */
export const oddModel: ModelShape = { vocabSize: 67, blockSize: 19, layers: 2, heads: 3, width: 33 };

/** 17 parameters: the smallest model there is, for arithmetic that can be checked by hand. */
export const smallestModel: ModelShape = { vocabSize: 1, blockSize: 1, layers: 1, heads: 1, width: 1 };

export function options(overrides: Partial<TrainerOptions> = {}): TrainerOptions {
  return {
    opset: 'torch',
    device: 'cpu',
    threads: 1,
    model: oddModel,
    batch: { rows: 3, tokens: 17 },
    inner: {
      beta1: fp32Bits(0.9),
      oneMinusBeta1: fp32Bits(1 - 0.9),
      beta2: fp32Bits(0.95),
      oneMinusBeta2: fp32Bits(1 - 0.95),
      epsilon: fp32Bits(1e-8),
      clipNorm: fp32Bits(1),
    },
    ...overrides,
  };
}

/** Disposed when the test ends. */
export async function trainer(overrides: Partial<TrainerOptions> = {}): Promise<Trainer> {
  const made = await createTrainer(options(overrides));
  onTestFinished(() => made.dispose());
  return made;
}

/** Scalars of step k = 1, 2, ... at a constant learning rate. */
export function scalars(k: number, learningRate = 3e-3, weightDecay = 0.1): StepScalars {
  return {
    stepSize: fp32Bits(learningRate / (1 - 0.9 ** k)),
    secondMomentScale: fp32Bits(1 / Math.sqrt(1 - 0.95 ** k)),
    decay: fp32Bits(1 - learningRate * weightDecay),
  };
}

/** A batch that depends on salt alone. */
export function batch(salt = 0, { batch: shape, model }: TrainerOptions = options()): Batch {
  const count = shape.rows * shape.tokens;
  const token = (i: number) => ((i + salt) * 7919 + ((i * i) % 101)) % model.vocabSize;
  return {
    inputs: Int32Array.from({ length: count }, (_, i) => token(i)),
    targets: Int32Array.from({ length: count }, (_, i) => token(i + 1)),
  };
}

/** A folder that is gone when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-engine-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A parameter file that starts with these values, zeros after. */
export async function parameterFile(
  model: ModelShape,
  path: string,
  values: ArrayLike<number>,
): Promise<string> {
  const floats = new Float32Array(parameterCount(model));
  floats.set(values);
  await writeFile(path, new Uint8Array(floats.buffer));
  return path;
}
