import { describe, expect, test } from 'vitest';
import { localParams, pan } from '../../../src/chain/params.js';
import {
  auditedSteps,
  checkChance,
  checkOf,
  leastChance,
  reach,
  rollOf,
} from '../../../src/protocol/sampling.js';
import type { Hex32 } from '../../../src/protocol/task.js';

const one = 2 ** 32;
const word = (i: number): Hex32 => `0x${i.toString(16).padStart(64, '0')}`;

/** p > C / ((1 - r)(R + S)); C, R, S, r, p_min. */
test.each([
  [1, 1.2, 10, 0.1, 0.099206],
  [1, 1, 250, 0.5, 0.007968],
  [1, 1.2, 110, 0.1, 0.009992],
  [1, 1.2, 150, 0.1, 0.007349],
  [10, 10, 100, 0, 0.090909],
  [10, 10, 100, 0.1, 0.10101],
  [8.33333333, 10, 100, 0, 0.075758],
  [8.33333333, 10, 100, 0.1, 0.084175],
  [5, 10, 100, 0.1, 0.050505],
])(
  'a cheat that saves %d, with price %d, stake %d and coalition %d, is deterred from %d on',
  (c, r, s, f, p) => {
    const units = (tokens: number) => BigInt(Math.round(tokens * 1e8));
    const terms = { minPrice: units(r), solverStake: units(s), adversaryBps: f * 10_000 };
    expect(Number(leastChance(terms, units(c))) / one).toBeCloseTo(p, 6);
  },
);

describe('the shipped parameters', () => {
  const params = localParams();

  test('deter a solver that does not compute at all, with a margin', () => {
    const least = leastChance(params, params.computeCost + params.outsideGain);
    expect(reach(params) > least).toBe(true);
    expect(Number(least) / one).toBeCloseTo(0.10101, 5);
  });

  test('would not deter with a tenth of the stake', () => {
    const poor = localParams({ solverStake: pan(10) });
    expect(reach(poor) < leastChance(poor, poor.computeCost)).toBe(true);
  });

  test('check a stranger every other time and a proven solver rarely', () => {
    const chances = [0n, 8n, 1_000n].map((score) => Number(checkChance(params, score)) / one);
    expect(chances.map((chance) => chance.toFixed(2))).toEqual(['0.50', '0.25', '0.11']);
  });
});

test('which submission is checked follows from seed and task alone', () => {
  const params = localParams();
  const checks = Array.from({ length: 2_000 }, (_, i) => checkOf(params, rollOf(word(1), word(i)), 10_000n));
  const share = (kind: string) => checks.filter((check) => check === kind).length / checks.length;
  expect(share('whole')).toBeCloseTo(0.11, 1);
  expect(share('steps')).toBeCloseTo(0.89 * 0.2, 1);
  expect(checkOf(params, rollOf(word(1), word(7)), 10_000n)).toBe(checks[7]);
});

test('audited steps are steps of the task', () => {
  const steps = auditedSteps(localParams({ auditSteps: 16 }), rollOf(word(1), word(2)), 5);
  expect(steps).toHaveLength(16);
  expect(steps.every((step) => step >= 0 && step < 5)).toBe(true);
});
