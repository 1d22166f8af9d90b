import { beforeAll, describe, expect, it } from 'vitest';
import { ensureAddon } from '../../src/engine/buildAddon.js';
import { buildEngineOracle, engineOracle } from '../helpers/engineOracle.js';

/** Of a gradient's relative error against autograd in fp64, to that of autograd in fp32: another order of summing moves it a
 *  little either way, a wrong formula by orders of magnitude. */
const errorRatio = 1.5;

beforeAll(async () => {
  await ensureAddon({ log: () => {} });
  await buildEngineOracle();
}, 300_000);

/** Relative errors against autograd in fp64. */
interface Gradients {
  loss: number;
  gradients: Record<string, { ours: number; fp32: number }>;
}

const shapes = [
  ['odd sizes', 67, 19, 2, 3, 33, 3],
  ['one layer, one head, one row', 65, 8, 1, 1, 16, 1],
  ['one token', 11, 1, 2, 2, 8, 4],
  ['the preset tiny', 256, 64, 4, 4, 128, 2],
] as const;

describe.each(['canon-f32-v1', 'torch'] as const)('the gradients of opset %s', (opset) => {
  it.each([
    ...shapes.map((shape) => ['erf', ...shape] as const),
    ...shapes.map((shape) => ['tanh', ...shape] as const),
  ])("are as near to autograd's in fp64 as autograd's in fp32: gelu %s, %s", async (gelu, _, ...shape) => {
    const { loss, gradients } = await engineOracle<Gradients>('gradients', opset, gelu, ...shape);
    expect(loss).toBeLessThan(1e-6);
    const worse = Object.entries(gradients).filter(([, { ours, fp32 }]) => !(ours <= errorRatio * fp32));
    expect(worse).toEqual([]);
    expect(Object.keys(gradients)).toHaveLength(3 + 6 * shape[2]);
  });
});

describe('the outer step', () => {
  it('moves to the bit as torch.optim.SGD with nesterov does, for 50 rounds', async () => {
    expect(await engineOracle('nesterov', 50)).toEqual({ fp64: 0, fp32: 0 });
  });
});
