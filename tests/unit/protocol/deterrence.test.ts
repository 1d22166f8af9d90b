import { describe, expect, test } from 'vitest';
import { localParams } from '../../../src/chain/params.js';
import {
  deterringChance,
  deterringChanceOfPanel,
  deterringChanceOfWaryPanel,
  deterringStake,
  payoffs,
  tolerableCollusion,
  type Wager,
} from '../../../src/protocol/deterrence.js';
import { leastChance, reach } from '../../../src/protocol/sampling.js';
import vectors from '../../fixtures/deterrence.json' with { type: 'json' };

const one = 2 ** 32;
/** Of a chance or a payoff, as the vectors give them. */
const tolerance = 1e-6;

/** A row of tests/fixtures/deterrence.json; forge reads the same ones. */
function read(row: readonly number[]): { wager: Wager; rest: number[] } {
  const [cost = 0, price = 0, stake = 0, part = 0, whole = 1, ...rest] = row;
  const tokens = (amount: number) => amount / 1e9;
  const wager = {
    cost: tokens(cost),
    price: tokens(price),
    stake: tokens(stake),
    collusion: part / whole,
  };
  return { wager, rest: rest.map((millionths) => millionths / 1e6) };
}

function expectNear(value: number, expected: number | undefined): void {
  expect(Math.abs(value - (expected ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
}

/** What the registry asks for, whose r are whole basis points. */
function onChain(
  [cost = 0, price = 0, stake = 0, part = 0, whole = 1]: readonly number[],
  round = Math.floor,
) {
  const adversaryBps = round((part * 10_000) / whole);
  const terms = { minPrice: BigInt(price), solverStake: BigInt(stake), adversaryBps };
  return Number(leastChance(terms, BigInt(cost))) / one;
}

test.each(vectors.leastChance)('%d of work for %d, with a stake of %d and r = %d / %d', (...row) => {
  const { wager, rest } = read(row);
  const [p = 0] = rest;
  expectNear(deterringChance(wager), p);
  expect(onChain(row)).toBeLessThanOrEqual(p + tolerance);
  expect(onChain(row, Math.ceil)).toBeGreaterThanOrEqual(p - tolerance);
  expectNear(tolerableCollusion(wager, deterringChance(wager)), wager.collusion);
});

test.each(vectors.leastStake)('%d of work for %d asks for a stake of %d', (...row) => {
  const { wager, rest } = read(row);
  const [p = 0] = rest;
  expectNear(deterringStake(wager, p), wager.stake);
  expectNear(onChain(row), p);
});

test.each(vectors.payoffs)(
  '%d of work for %d, stake %d, r = %d / %d, checked with %d millionths',
  (...row) => {
    const { wager, rest } = read(row);
    const [p = 0, honest, cheating] = rest;
    const found = payoffs(wager, p);
    expectNear(found.honest, honest);
    expectNear(found.cheating, cheating);
    expect(found.honest > found.cheating).toBe(p >= onChain(row));
  },
);

test.each(vectors.panels)('%d of work for %d, stake %d, r = %d / %d, with %d verifiers', (...row) => {
  const { wager, rest } = read(row.toSpliced(5, 1));
  const verifiers = row[5] ?? 0;
  expectNear(deterringChanceOfPanel(wager, verifiers), rest[0]);
  expectNear(deterringChanceOfWaryPanel(wager, verifiers), rest[1]);
});

describe('the numbers of the SplitUp white paper', () => {
  const [row] = vectors.unsafe as [number[]];
  const { wager, rest } = read(row);
  const [p = 1] = rest;

  test('are not safe: a wrong result pays twice as much as honest work', () => {
    expect(p).toBeLessThan(deterringChance(wager));
    expect(p).toBeLessThan(onChain(row));
    const { honest, cheating } = payoffs(wager, p);
    expect(cheating / honest).toBeCloseTo(1.968, 3);
  });

  test('would be with a quarter more checks, or a third more stake', () => {
    expect(1.25 * p).toBeGreaterThan(deterringChance(wager));
    expect(p).toBeGreaterThan(deterringChance({ ...wager, stake: 1.33 * wager.stake }));
  });
});

test('with the shipped parameters honest work pays more than none, by 2.73 times its price', () => {
  const params = localParams();
  const tokens = (amount: bigint) => Number(amount) / 1e18;
  const wager = {
    cost: tokens(params.computeCost),
    price: tokens(params.minPrice),
    stake: tokens(params.solverStake),
    collusion: params.adversaryBps / 10_000,
  };
  const { honest, cheating } = payoffs(wager, Number(reach(params)) / one);
  expect(honest - cheating).toBeGreaterThan(0);
  expect((honest - cheating) / wager.price).toBeCloseTo(2.73, 2);
});
