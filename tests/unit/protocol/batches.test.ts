import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { batchWindows, permute, sampleWindow } from '../../../src/protocol/batches.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';

const seed = createHash('sha256').update('test').digest();

test('the vectors that a second implementation, in Python, gave', () => {
  const windows = [0, 1, 2, 4261, 4262, 4583, 4584, 1_000_000].map((g) => sampleWindow(seed, 4583, g));
  expect(windows).toEqual([1079, 2708, 3068, 1021, 858, 1707, 1572, 1074]);
});

test.each([1, 2, 3, 5, 16, 17, 1025, 4095])('every window of %i comes once per epoch', (windowCount) => {
  const seen = new Set(Array.from({ length: windowCount }, (_, i) => permute(seed, 1, windowCount, i)));
  expect(seen.size).toBe(windowCount);
  expect(Math.max(...seen)).toBe(windowCount - 1);
});

test('neighbouring samples are spread evenly: chi-square of 64 bins', () => {
  const [windowCount, samples, binCount] = [60_000, 16_384, 64];
  const bins = new Array<number>(binCount).fill(0);
  for (let g = 0; g < samples; g++) {
    const bin = Math.floor((sampleWindow(seed, windowCount, g) * binCount) / windowCount);
    bins[bin] = (bins[bin] as number) + 1;
  }
  const expected = samples / binCount;
  const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 63 degrees of freedom: above 103.4 with probability 0.001. The seed is fixed, so this can not flicker.
  expect(chiSquare).toBeLessThan(103.4);
});

const spec = {
  seed: sha256Hex('test'),
  round: 0,
  slotsPerRound: 4,
  innerSteps: 5,
  batch: { rows: 8, tokens: 64 },
};

test('slots and steps of a round never share a window', () => {
  const seen = new Set<number>();
  for (let slot = 0; slot < 4; slot++) {
    for (let step = 0; step < 5; step++) {
      for (const window of batchWindows(spec, { slot, step, windowCount: 4583 })) seen.add(window);
    }
  }
  expect(seen.size).toBe(4 * 5 * 8);
});

test('sample numbers count rows, then steps, then slots, then rounds', () => {
  const at = { slot: 3, step: 2, windowCount: 4583 };
  const first = ((7 * 4 + 3) * 5 + 2) * 8;
  expect(batchWindows({ ...spec, round: 7 }, at)).toEqual(
    Array.from({ length: 8 }, (_, row) => sampleWindow(seed, 4583, first + row)),
  );
});

test.each([
  ['a slot beyond the round', { slot: 4, step: 0, windowCount: 10 }],
  ['a step beyond the task', { slot: 0, step: 5, windowCount: 10 }],
  ['a step before the task', { slot: 0, step: -1, windowCount: 10 }],
  ['no windows at all', { slot: 0, step: 0, windowCount: 0 }],
])('%s is refused', (_, at) => {
  expect(() => batchWindows(spec, at)).toThrow(expect.objectContaining({ code: 'batch.out_of_range' }));
});

test('a seed of another length is refused', () => {
  expect(() => batchWindows({ ...spec, seed: '0x00' }, { slot: 0, step: 0, windowCount: 9 })).toThrow(
    expect.objectContaining({ code: 'batch.out_of_range' }),
  );
});
