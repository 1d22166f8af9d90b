/** Opset canon-f32-v1 on one machine after another: what a run computes, as one hash. */
import { createHash } from 'node:crypto';
import type { NativeIsa } from '../../src/engine/addon.d.ts';
import { createTrainer, type Trainer, type TrainerOptions } from '../../src/engine/trainer.js';
import { fp32Bits } from '../../src/protocol/spec.js';
import { batch, options, scalars, seed } from './engine.js';

const canon = (overrides: Partial<TrainerOptions> = {}) => options({ opset: 'canon-f32-v1', ...overrides });

/** Sizes that fit no tile and no vector; both kinds of everything. */
export const tiny = canon({
  model: { vocabSize: 61, blockSize: 23, layers: 2, heads: 2, width: 22, gelu: 'tanh' },
  batch: { rows: 2, tokens: 23 },
  microBatches: 2,
});

/** One layer of GPT-2 with its widths: a second block of queries in attention, and a vocabulary whose gradient comes in two parts. */
export const slice = canon({
  model: { vocabSize: 1031, blockSize: 70, layers: 1, heads: 12, width: 768 },
  batch: { rows: 1, tokens: 67 },
});

export interface Machine {
  isa: NativeIsa;
  threads: number;
}

/** A step takes the micro-batches one after the other. */
export function stepBatch(salt: number, of: TrainerOptions) {
  const rows = of.batch.rows * (of.microBatches ?? 1);
  return batch(salt, { ...of, batch: { ...of.batch, rows } });
}

export type Start = (made: Trainer) => Promise<void>;
export const initialised: Start = (made) => made.initialise(seed);

/** Loss and norm of every step, and every tenth state with its gradients, as one hash. */
export async function history(of: TrainerOptions, steps: number, start = initialised): Promise<string> {
  await using made = await createTrainer(of);
  await start(made);
  const hash = createHash('sha256');
  for (let k = 1; k <= steps; k++) {
    const { loss, gradientNorm } = await made.innerStep(stepBatch(k % 7, of), scalars(k));
    hash.update(`${fp32Bits(loss)} ${fp32Bits(gradientNorm)} `);
    if (k % 10 === 0 || k === steps) hash.update(`${await made.stateRoot()}${await made.gradientRoot()}`);
  }
  return hash.digest('hex');
}
