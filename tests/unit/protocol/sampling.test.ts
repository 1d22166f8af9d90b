import { describe, expect, test } from 'vitest';
import { chance, localParams, pan } from '../../../src/chain/params.js';
import {
  auditedSteps,
  bribe,
  checkChance,
  checkOf,
  leastChance,
  reach,
  rollOf,
} from '../../../src/protocol/sampling.js';
import type { Hex32 } from '../../../src/protocol/task.js';

const one = 2 ** 32;
const word = (i: number): Hex32 => `0x${i.toString(16).padStart(64, '0')}`;

describe('the shipped parameters', () => {
  const params = localParams();

  test('deter a solver that does not compute at all, with a margin', () => {
    const least = leastChance(params, params.computeCost + params.outsideGain);
    expect(reach(params) > least).toBe(true);
    expect(Number(least) / one).toBeCloseTo(0.10101, 5);
  });

  test('make bribes dearer than what a cheat saves, of the bounty that a checker gives up', () => {
    expect(bribe(params, reach(params)) > params.computeCost).toBe(true);
    expect(Number(bribe(params, reach(params))) / 1e18).toBeCloseTo(0.377 * 0.9 * 30, 3);
    const rarer = { ...params, stepAuditRate: chance(26) };
    expect(bribe(rarer, reach(rarer)) < params.computeCost).toBe(true);
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
  expect(share('steps')).toBeCloseTo(0.89 * 0.3, 1);
  expect(checkOf(params, rollOf(word(1), word(7)), 10_000n)).toBe(checks[7]);
});

test('audited steps are steps of the task', () => {
  const steps = auditedSteps(localParams({ auditSteps: 16 }), rollOf(word(1), word(2)), 5);
  expect(steps).toHaveLength(16);
  expect(steps.every((step) => step >= 0 && step < 5)).toBe(true);
});
