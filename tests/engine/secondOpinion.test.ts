import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conformanceDefaults, pinnedDigests } from '../../src/engine/conformance.js';
import { temporaryFolder, trainer } from '../helpers/engine.js';
import { firstDifference } from '../helpers/firstDifference.js';
import { type TrainingCase, trainingCases } from '../helpers/naiveCanon/cases.js';
import { conformanceDigest } from '../helpers/naiveCanon/conformance.js';

const onEngine = ({ model, batch, microBatches, inner }: TrainingCase) =>
  trainer({ opset: 'canon-f32-v1', threads: 2, model, batch, microBatches, inner });

describe('the engine and an implementation written from docs/opset-canon-f32-v1.md alone', () => {
  it.each(trainingCases.map((training) => [training.name, training] as const))(
    'agree in every bit of every step: %s',
    async (_, training) => {
      const path = join(temporaryFolder(), 'theta');
      expect(await firstDifference(training, await onEngine(training), path)).toBeNull();
    },
  );

  it('would be told apart by the last bit of beta1, which has no effect before step 2', async () => {
    const training = trainingCases[0] as TrainingCase;
    const inner = { ...training.inner, beta1: training.inner.beta1 + 1 };
    const path = join(temporaryFolder(), 'theta');
    const difference = await firstDifference(training, await onEngine({ ...training, inner }), path);
    expect(difference).toMatch(/^step 2: stateRoot expected 0x.*, received 0x.* elements of theta's wte/);
  });

  it('print the same conformance digest', () => {
    const { shortSteps } = conformanceDefaults;
    expect(conformanceDigest(shortSteps, `0x${'00'.repeat(32)}`)).toBe(pinnedDigests[shortSteps]);
  });
});
