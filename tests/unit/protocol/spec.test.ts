import { expect, test } from 'vitest';
import { fp32Bits, learningRateAt, stepScalars, taskSpec } from '../../../src/protocol/spec.js';
import { toyManifest } from '../../helpers/toyCompute.js';

const manifest = toyManifest({ innerSteps: 3, rounds: 2 });

/** The number that fp32 bits stand for. */
function numberOf(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

test('fp32 bits are those of IEEE 754, ties to even', () => {
  expect(fp32Bits(1)).toBe(0x3f800000);
  expect(fp32Bits(-2)).toBe(0xc0000000);
  expect(fp32Bits(0.1)).toBe(0x3dcccccd);
  expect(fp32Bits(1 + 2 ** -24)).toBe(0x3f800000);
  expect(fp32Bits(1 + 3 * 2 ** -24)).toBe(0x3f800002);
});

test('warm-up is linear over the whole run and ends at its last step', () => {
  const warm = { ...manifest, inner: { ...manifest.inner, learningRate: 1, warmupSteps: 4 } };
  expect([1, 2, 3].map((k) => learningRateAt(warm, 0, k))).toEqual([0.25, 0.5, 0.75]);
  expect([1, 2, 3].map((k) => learningRateAt(warm, 1, k))).toEqual([1, 1, 1]);
  const cold = { ...manifest, inner: { ...manifest.inner, learningRate: 1, warmupSteps: 0 } };
  expect(learningRateAt(cold, 0, 1)).toBe(1);
});

test('bias corrections start anew with every task, while the learning rate goes on', () => {
  const [first, second] = stepScalars(manifest, 0);
  const { beta1, beta2, weightDecay, learningRate } = manifest.inner;
  // Adam, algorithm 2: at k = 1 the correction is 1 - beta.
  expect(first?.stepSize).toBe(fp32Bits(learningRate / 2 / (1 - beta1)));
  expect(first?.secondMomentScale).toBe(fp32Bits(1 / Math.sqrt(1 - beta2)));
  expect(first?.decay).toBe(fp32Bits(1 - (learningRate / 2) * weightDecay));
  expect(numberOf(second?.stepSize ?? 0)).toBeCloseTo(learningRate / (1 - beta1 ** 2), 7);
  const [later] = stepScalars(manifest, 1);
  expect(later?.secondMomentScale).toBe(first?.secondMomentScale);
  expect(later?.stepSize).toBe(fp32Bits(learningRate / (1 - beta1)));
});

test('the spec of a round names its base and nothing about a slot', () => {
  const base = { stateRoot: `0x${'01'.repeat(32)}`, parameters: `0x${'02'.repeat(32)}` } as const;
  const spec = taskSpec(manifest, `0x${'03'.repeat(32)}`, 1, { ...base, extra: 'not ours' } as typeof base);
  expect(spec).toMatchObject({ round: 1, base, innerSteps: 3, slotsPerRound: manifest.slotsPerRound });
  expect(spec.base).toEqual(base);
  expect(spec.scalars).toHaveLength(3);
  expect(spec).toEqual(taskSpec(manifest, `0x${'03'.repeat(32)}`, 1, base));
});
