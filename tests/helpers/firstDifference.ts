/** Where the engine and the naive implementation of canon-f32-v1 part ways. */
import { readFile } from 'node:fs/promises';
import type { Trainer } from '../../src/engine/trainer.js';
import { fp32Bits } from '../../src/protocol/spec.js';
import { batchOf, naiveTraining, type TrainingCase } from './naiveCanon/cases.js';
import { tensorShapes } from './naiveCanon/model.js';
import type { State } from './naiveCanon/step.js';

/** A sentence that names the first step that differs and what in it does; null when all agree to the bit.
 *  path: of a file that may be written */
export async function firstDifference(
  training: TrainingCase,
  trainer: Trainer,
  path: string,
): Promise<string | null> {
  let k = 0;
  for (const naive of naiveTraining(training)) {
    if (k === 0) await trainer.initialise(training.seed);
    const scalars = training.scalars[k - 1];
    const step = scalars && (await trainer.innerStep(batchOf(training, k), scalars));
    const received = {
      ...(step ? { loss: fp32Bits(step.loss), norm: fp32Bits(step.gradientNorm) } : {}),
      stateRoot: await trainer.stateRoot(),
      gradientRoot: await trainer.gradientRoot(),
    };
    const differing = (['loss', 'norm', 'gradientRoot', 'stateRoot'] as const).filter(
      (key) => received[key] !== naive[key],
    );
    if (differing.length > 0) {
      const facts = differing.map((key) => `${key} expected ${naive[key]}, received ${received[key]}`);
      await trainer.saveParameters(path);
      const theta = differingElement(training, naive.state, await readFile(path));
      return `step ${k}: ${facts.join('; ')}; ${theta}`;
    }
    k++;
  }
  return null;
}

function differingElement({ model }: TrainingCase, { theta }: State, bytes: Uint8Array): string {
  const received = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let offset = 0;
  for (const [t, { name }] of tensorShapes(model).entries()) {
    const expected = theta[t] as Float32Array;
    const start = offset;
    const wrong = [...expected.keys()].filter((i) => !Object.is(expected[i], received[start + i]));
    const first = wrong[0];
    if (first !== undefined) {
      const values = `expected ${expected[first]}, received ${received[start + first]}`;
      return `${wrong.length} of ${expected.length} elements of theta's ${name}, the first tensor to differ, element ${first} ${values}`;
    }
    offset += expected.length;
  }
  return 'theta is the same, so m or v differ';
}
