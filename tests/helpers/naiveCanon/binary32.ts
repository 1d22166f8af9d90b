/** The operations of section 1 on binary32 values held in JavaScript's binary64 numbers.
 *
 *  Rounding the binary64 result of +, -, *, / or sqrt once more to binary32 is the same as rounding the exact result once, because binary64
 *  carries 53 >= 2 * 24 + 2 bits, and enough exponents for no operation on binary32 values to underflow or overflow in it.
 *  source: Figueroa, "When is double rounding innocuous?" (1995). It does not hold for fma, see below. */

/** All functions here take and return values of this kind: what Math.fround returns. */
export type Binary32 = number;

export const add = (a: Binary32, b: Binary32): Binary32 => Math.fround(a + b);
export const subtract = (a: Binary32, b: Binary32): Binary32 => Math.fround(a - b);
export const multiply = (a: Binary32, b: Binary32): Binary32 => Math.fround(a * b);
export const divide = (a: Binary32, b: Binary32): Binary32 => Math.fround(a / b);
export const squareRoot = (a: Binary32): Binary32 => Math.fround(Math.sqrt(a));

const word64 = new BigInt64Array(1);
const float64 = new Float64Array(word64.buffer);

/** a * b + c with one rounding. The product is exact in binary64, the sum is not: rounding it to 53 and then to 24 bits goes wrong
 *  exactly where the 53 bits lie half way between two binary32 values and the exact sum does not. */
export function fma(a: Binary32, b: Binary32, c: Binary32): Binary32 {
  const product = a * b;
  const sum = product + c;
  const rounded = Math.fround(sum);
  const rest = sum - rounded;
  const otherNeighbour = sum + rest;
  if (rest === 0 || Math.fround(otherNeighbour) !== otherNeighbour) return rounded;
  return Math.fround(roundedToOdd(product, c, sum));
}

/** The exact sum rounded to odd: where 53 bits can not hold it, the one of its two neighbours whose last bit is 1. Rounding that to
 *  24 bits or fewer is right.  source: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums" (2008) */
function roundedToOdd(a: number, b: number, sum: number): number {
  // Knuth's two-sum: sum + error is a + b exactly.
  const bPart = sum - a;
  const error = a - (sum - bPart) + (b - bPart);
  float64[0] = sum;
  const bits = word64[0] as bigint;
  if (error === 0 || (bits & 1n) === 1n) return sum;
  // Patterns of one sign are ordered as the magnitudes are; sum is not 0, as it lies between two binary32 values.
  word64[0] = bits + (error > 0 === sum > 0 ? 1n : -1n);
  return float64[0] as number;
}

const word32 = new Int32Array(1);
const float32 = new Float32Array(word32.buffer);

/** The pattern of x as a 32-bit two's complement integer. */
export function bits(x: Binary32): number {
  float32[0] = x;
  return word32[0] as number;
}

/** The inverse of `bits`; integers are taken modulo 2^32. */
export function value(pattern: number): Binary32 {
  word32[0] = pattern;
  return float32[0] as number;
}

/** A hexadecimal literal as the document writes it: hex('-0x1.8p23') = -12582912.  throws RangeError when it is no binary32 */
export function hex(literal: string): Binary32 {
  const match = /^(-?)0x1(?:\.([0-9a-f]+))?p([+-]?\d+)$/.exec(literal);
  if (match === null) throw new RangeError(`expected a literal like -0x1.8p23, received ${literal}`);
  const [, minus, digits = '', exponent] = match;
  const significand = 1 + Number.parseInt(`0${digits}`, 16) / 16 ** digits.length;
  const number = (minus === '' ? 1 : -1) * significand * 2 ** Number(exponent);
  if (Math.fround(number) !== number) throw new RangeError(`${literal} is not a binary32 value`);
  return number;
}

/** The element of a tensor; never out of range in this code. */
export function at(tensor: Float32Array, index: number): Binary32 {
  return tensor[index] as number;
}
