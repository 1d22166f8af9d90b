import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { innerConstants, stepScalars } from '../../../src/protocol/spec.js';
import { parameterCount, stateRoot as stateRootTwin } from '../../../src/protocol/stateTree.js';
import fixture from '../../fixtures/canon.json' with { type: 'json' };
import { bits, fma, value } from '../../helpers/naiveCanon/binary32.js';
import { elementaryDigests, naiveTraining, type TrainingCase } from '../../helpers/naiveCanon/cases.js';
import { erf, exp, log, tanh } from '../../helpers/naiveCanon/elementary.js';
import { initialise, philox, quantile } from '../../helpers/naiveCanon/initialise.js';
import { constantsOf, scalarsOf } from '../../helpers/naiveCanon/scalars.js';
import { bytesOf, stateRoot } from '../../helpers/naiveCanon/stateRoot.js';
import { outerStep } from '../../helpers/naiveCanon/step.js';
import { colsum, gemm, greatest, rowsum, rowsumOfProducts } from '../../helpers/naiveCanon/sums.js';

describe('the naive implementation of canon-f32-v1', () => {
  it.each(fixture.cases.map((training) => [training.name, training] as const))(
    'gives the shared fixture: %s',
    (_, { steps, ...training }) => {
      const received = Array.from(naiveTraining(training as TrainingCase), ({ state: _, ...step }) => step);
      expect(received).toEqual(steps);
    },
  );

  it('gives the elementary functions of the shared fixture', () => {
    const { stride, ...digests } = fixture.elementary;
    expect(elementaryDigests(stride)).toEqual(digests);
  });

  it('runs no code of the project but its own: a second opinion', () => {
    const folder = new URL('../../helpers/naiveCanon/', import.meta.url);
    const files = readdirSync(folder);
    const foreign = files.flatMap((file) =>
      [...readFileSync(new URL(file, folder), 'utf8').matchAll(/^(?:import|export) ([^;]*?)from '(.*?)';/gm)]
        .filter(([, what, path]) => !what?.startsWith('type ') && !/^(\.\/|node:)/.test(path as string))
        .map(([statement]) => `${file}: ${statement}`),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(foreign).toEqual([]);
  });

  it.each([
    [{ learningRate: 0.01, warmupSteps: 2, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 }, 1e-37],
    [{ learningRate: 6e-4, warmupSteps: 700, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 }, 1],
    [{ learningRate: 3e-3, warmupSteps: 0, beta1: 0, beta2: 0.999, epsilon: 1e-6, weightDecay: 0 }, 0.5],
  ])('has the scalars that the master puts into a task: %j', (rest, clipNorm) => {
    const inner = { ...rest, clipNorm };
    expect(constantsOf(inner)).toEqual(innerConstants({ inner }));
    for (const round of [0, 1, 2]) {
      const theirs = stepScalars({ inner, innerSteps: 300 }, round);
      expect(scalarsOf(inner, 300, round)).toEqual(theirs);
    }
  });

  it('has the state tree of its twin', () => {
    const model = { vocabSize: 300, blockSize: 7, layers: 1, heads: 1, width: 9 };
    const { theta, m, v } = initialise(model, `0x${'01'.repeat(32)}`);
    (m[0] as Float32Array)[2699] = 1;
    (v[8] as Float32Array)[0] = 2;
    const [thetaBytes, mBytes, vBytes] = [theta, m, v].map((list) => Buffer.concat(list.map(bytesOf)));
    expect(thetaBytes).toHaveLength(4 * parameterCount(model));
    const bytes = { theta: thetaBytes as Buffer, m: mBytes as Buffer, v: vBytes as Buffer };
    expect(stateRoot({ theta, m, v })).toBe(stateRootTwin(model, bytes));
  });

  it('takes the outer step in slot order', () => {
    const list = (...values: number[]) => [Float32Array.from(values)];
    const first = outerStep({
      ...{ theta: list(1, 2 ** 24), momentum: list(0, 0), results: [list(0.5, 0), list(0, 2 ** 24 + 2)] },
      ...{ learningRate: 0.5, outerMomentum: 0.5 },
    });
    expect(first.momentum).toEqual(list(0.75, 2 ** 23 - 1));
    expect(first.theta).toEqual(list(1 - 0.5 * 1.125, fma(-0.5, Math.fround(1.5 * (2 ** 23 - 1)), 2 ** 24)));
  });
});

describe('the sums', () => {
  /** 1, then terms that vanish beside it one by one and count when they meet first. */
  const tiny = 2 ** -24;
  const oneAndTiny = (place: number) => (i: number) => (i === place ? 1 : tiny);
  const one = () => 1;

  it('of a product begin a new part where k is a multiple of 1024', () => {
    // In its own part each later tiny term is added to other tiny ones.
    expect(gemm(0, 1024, oneAndTiny(0), one)).toBe(1);
    expect(gemm(0, 1026, oneAndTiny(0), one)).toBe(1 + 2 * tiny);
    expect(gemm(1000, 1026, oneAndTiny(1000), one)).toBe(1 + 2 * tiny);
    expect(gemm(1000, 1024, oneAndTiny(1000), one)).toBe(1);
    // 1, then 1024 * tiny, then 2 * tiny
    expect(gemm(0, 2050, oneAndTiny(0), one)).toBe(1 + 1026 * tiny);
  });

  it('of a row have 32 lanes and a tree that folds halves', () => {
    expect(rowsum(33, oneAndTiny(0))).toBe(1 + 30 * tiny);
    expect(rowsumOfProducts(33, oneAndTiny(0), one)).toBe(1 + 30 * tiny);
    // Lanes 0 and 16 meet first: alone, tiny is lost; as 3 * tiny it is rounded to 4.
    expect(rowsum(17, (i) => (i === 0 ? 1 : i === 16 ? tiny : 0))).toBe(1);
    expect(rowsum(17, (i) => (i === 0 ? 1 : i === 16 ? 3 * tiny : 0))).toBe(1 + 4 * tiny);
    expect(rowsum(25, (i) => (i === 0 ? 1 : i === 8 || i === 24 ? tiny : 0))).toBe(1 + 2 * tiny);
    expect(rowsum(0, one)).toBe(0);
  });

  it('of a column have chunks of 64 rows', () => {
    expect(colsum(64, oneAndTiny(0))).toBe(1);
    expect(colsum(66, oneAndTiny(0))).toBe(1 + 2 * tiny);
    expect(colsum(0, one)).toBe(0);
  });

  it('begin with +0', () => {
    expect(gemm(0, 1, () => -0, one)).toBe(0);
    expect(rowsum(1, () => -0)).toBe(0);
    expect(greatest(3, (i) => [-3, -1, -2][i] as number)).toBe(-1);
  });
});

describe('the elementary functions', () => {
  /** In units in the last place of the binary32 result, each 2^-149 below 2^-126. */
  function ulps(received: number, exact: number): number {
    if (received === Math.fround(exact)) return 0;
    const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
    return Math.abs(received - exact) / 2 ** (exponent - 23);
  }

  /** Taylor's series in binary64; good for 1e-9 up to 4, where erf is 1 - 1.5e-8. */
  function erfReference(x: number): number {
    if (Math.abs(x) > 4) return Math.sign(x);
    let [term, total] = [x, x];
    for (let n = 1; n < 120; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }

  const functions = [
    ['exp', exp, Math.exp, 0.9],
    ['erf', erf, erfReference, 1.3],
    ['tanh', tanh, Math.tanh, 1.01],
    ['log', log, Math.log, 0.82],
  ] as const;

  it.each(functions)('%s is as near as the document says', (_, candidate, reference, bound) => {
    let worst = 0;
    // every 16 thousandth pattern: all exponents and both signs
    for (let pattern = 0; pattern < 2 ** 32; pattern += 16_381) {
      const x = value(pattern);
      const exact = reference(x);
      if (!Number.isFinite(Math.fround(exact))) continue;
      worst = Math.max(worst, ulps(candidate(x), exact));
    }
    expect(worst).toBeLessThan(bound);
  });

  it('have the limits of the document', () => {
    const infinity = Number.POSITIVE_INFINITY;
    for (const f of [exp, erf, tanh, log]) expect(f(Number.NaN)).toBeNaN();
    expect([exp(-infinity), exp(-103.9), exp(88.8), exp(infinity)]).toEqual([
      0,
      value(1),
      infinity,
      infinity,
    ]);
    expect([erf(-infinity), erf(infinity), tanh(-infinity), tanh(infinity)]).toEqual([-1, 1, -1, 1]);
    expect([erf(-0), erf(0), tanh(-0), tanh(0)]).toEqual([-0, 0, -0, 0]);
    expect([log(-0), log(0), log(-1), log(infinity)]).toEqual([-infinity, -infinity, Number.NaN, infinity]);
    expect(log(value(1))).toBe(Math.fround(Math.log(2 ** -149)));
  });
});

describe('randomness', () => {
  // source: Salmon et al. 2011, kat_vectors of Random123
  it.each([
    [[0, 0], [0, 0, 0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[-1, -1], [-1, -1, -1, -1], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      [0xa4093822, 0x299f31d0],
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('is Philox4x32-10: key %j', (key, counter, expected) => {
    const [k0 = 0, k1 = 0] = key.map((word) => word >>> 0);
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter.map((word) => word >>> 0);
    const words = philox([k0, k1], [c0, c1, c2, c3]);
    expect(words.map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(expected);
  });

  // source: tables of the normal quantile, to 15 digits
  it.each([
    [0.975, 1.959963984540054],
    [0.5 + 0.425, 1.4395314709384563],
    [0.999, 3.090232306167813],
    [2 ** -33, -6.337957754553789],
  ])('has the normal quantile of %d', (probability, expected) => {
    const word = Math.round(probability * 2 ** 32 - 0.5);
    const density = Math.exp((-expected * expected) / 2) / Math.sqrt(2 * Math.PI);
    const atWord = expected + ((word + 0.5) * 2 ** -32 - probability) / density;
    expect(Math.abs(quantile(word) / atWord - 1)).toBeLessThan(1e-9);
    expect(quantile(2 ** 32 - 1 - word)).toBe(-quantile(word));
  });

  it('gives patterns that are what their bits say', () => {
    expect(bits(value(0x80000001))).toBe(0x80000001 | 0);
  });
});
