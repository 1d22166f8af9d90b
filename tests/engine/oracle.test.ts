import { beforeAll, describe, expect, it } from 'vitest';
import { ensureAddon } from '../../src/engine/buildAddon.js';
import { buildEngineOracle, engineOracle } from '../helpers/engineOracle.js';

/** Relative L2 of a gradient against autograd in double. fp32 sums of a few hundred terms reach 1e-6. */
const gradientTolerance = 1e-5;

beforeAll(async () => {
  await ensureAddon({ log: () => {} });
  await buildEngineOracle();
}, 300_000);

interface Gradients {
  loss: number;
  referenceLoss: number;
  gradients: Record<string, number>;
}

describe('the hand-written backward pass', () => {
  it.each([
    ['odd sizes', 67, 19, 2, 3, 33, 3],
    ['one layer, one head, one row', 65, 8, 1, 1, 16, 1],
    ['one token', 11, 1, 2, 2, 8, 4],
    ['the preset tiny', 256, 64, 4, 4, 128, 2],
  ])('agrees with autograd: %s', async (_, ...shape) => {
    const result = await engineOracle<Gradients>('gradients', ...shape);
    expect(Math.abs(result.loss / result.referenceLoss - 1)).toBeLessThan(1e-6);
    const wrong = Object.entries(result.gradients).filter(([, error]) => !(error <= gradientTolerance));
    expect(wrong).toEqual([]);
    expect(Object.keys(result.gradients)).toHaveLength(3 + 6 * (shape[2] as number));
  });
});

describe('the outer step', () => {
  it('moves to the bit as torch.optim.SGD with nesterov does, for 50 rounds', async () => {
    expect(await engineOracle('nesterov', 50)).toEqual({ fp64: 0, fp32: 0 });
  });
});
