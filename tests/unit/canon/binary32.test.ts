import { describe, expect, it } from 'vitest';
import { exactFma } from '../../helpers/exactFma.js';
import { type Binary32, bits, fma, hex, value } from '../../helpers/naiveCanon/binary32.js';

type Triple = readonly [a: Binary32, b: Binary32, c: Binary32];

/** What a * b + c in binary64, rounded to binary32, gives. */
const roundedTwice = ([a, b, c]: Triple) => Math.fround(a * b + c);

function wrong(triples: readonly Triple[], candidate: (triple: Triple) => Binary32): string[] {
  return triples
    .filter((triple) => !Object.is(candidate(triple), exactFma(...triple)))
    .map((triple) => `fma(${triple}) is ${exactFma(...triple)}, received ${candidate(triple)}`);
}

/** xorshift32 */
function randomWords(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

const smallest = value(1);
const largest = value(0x7f7fffff);
/** below * below' = 1 - 2^-46, above * above' = 1 + 2^-36 */
const [below, below2] = [hex('0x1.000002p+0'), 1 - 2 ** -23];
const [above, above2] = [1 + 2 ** -12, 1 - 2 ** -12 + 2 ** -24];

/** Sums that lie so near the middle of two binary32 values that binary64 takes them for the middle. */
const nearTies: Triple[] = [
  [below * 2 ** -12, below2 * 2 ** -12, 1 + 2 ** -23],
  [above * 2 ** -12, above2 * 2 ** -12, 1],
  // subnormal: the middle of two multiples of 2^-149
  [below * 2 ** -75, below2 * 2 ** -75, value(0x400001)],
  [above * 2 ** -75, above2 * 2 ** -75, value(0x400000)],
  // where overflow begins
  [below * 2 ** 51, below2 * 2 ** 52, largest],
];

describe('fma', () => {
  it('rounds once, where binary64 and then binary32 would round twice', () => {
    const signed = nearTies.flatMap(([a, b, c]): Triple[] => [
      [a, b, c],
      [-a, b, -c],
    ]);
    expect(wrong(signed, ([a, b, c]) => fma(a, b, c))).toEqual([]);
    expect(wrong(signed, roundedTwice)).toHaveLength(signed.length);
  });

  it('keeps subnormal numbers, signed zeros, infinities and NaN', () => {
    const infinity = Number.POSITIVE_INFINITY;
    const values = [0, smallest, value(0x7fffff), 2 ** -126, 2 ** -75, 1, 3, 2 ** 64, largest, infinity];
    const all = [...values, ...values.map((x) => -x), Number.NaN];
    const triples = all.flatMap((a) => all.flatMap((b) => all.map((c): Triple => [a, b, c])));
    expect(wrong(triples, ([a, b, c]) => fma(a, b, c))).toEqual([]);
    expect(fma(1, -0, -0)).toBe(-0);
    expect(fma(-1, 1, 1)).toBe(0);
    expect(fma(-smallest, smallest, 0)).toBe(-0);
    expect(fma(infinity, 0, 1)).toBeNaN();
    expect(fma(infinity, 1, -infinity)).toBeNaN();
    expect(fma(largest, largest, -infinity)).toBe(-infinity);
  });

  it('agrees with whole numbers on random patterns, most of them near a tie or a cancellation', () => {
    const word = randomWords(1);
    const triples: Triple[] = [];
    for (let i = 0; i < 20_000; i++) {
      const [a, b] = [value(word()), value(word())];
      triples.push([a, b, value(word())]);
      // few bits in the factors and an exponent near: exact ties and sums that vanish
      const [short, short2] = [value(word() & 0xfff80000), value(word() & 0xfff80000)];
      triples.push([short, short2, Math.fround(-short * short2)]);
      triples.push([
        short,
        short2,
        value(bits(Math.fround(short * short2 * 2 ** (word() % 26))) ^ (word() & 3)),
      ]);
      // a product that is half a unit of c, give or take its last bits
      const [tie, tie2] = nearTies[i % 2] as Triple;
      const scale = 2 ** ((word() % 60) - 30);
      const c = value((word() & 0x80ffffff) | 0x3f000000);
      triples.push([tie * scale, tie2 / scale, c]);
    }
    const finite = triples.filter((triple) => triple.every((x) => Math.fround(x) === x));
    expect(finite.length).toBeGreaterThan(60_000);
    expect(wrong(finite, ([a, b, c]) => fma(a, b, c))).toEqual([]);
    expect(wrong(finite, roundedTwice).length).toBeGreaterThan(100);
  });
});

describe('the reference of fma', () => {
  it('is the product or the sum where one factor or the addend is trivial', () => {
    const word = randomWords(2);
    for (let i = 0; i < 2_000; i++) {
      const [a, c] = [value(word()), value(word())];
      expect(exactFma(a, 1, c)).toBe(Math.fround(a + c));
      expect(exactFma(a, c, 0)).toBe(Math.fround(a * c + 0));
    }
  });
});

describe('hexadecimal literals', () => {
  it('are exact or refused', () => {
    expect(hex('0x1.8p23')).toBe(12582912);
    expect(hex('-0x1.fffffcp-127')).toBe(-(2 ** -126 - 2 ** -149));
    expect(hex('0x1p-126')).toBe(2 ** -126);
    expect(() => hex('0x1.0000001p0')).toThrow(/is not a binary32 value/);
    expect(() => hex('1.5')).toThrow(/expected a literal/);
  });
});
