/** Section 3: exp, expMinusOne, erf, tanh and log. */
import { add, type Binary32, bits, divide, fma, hex, multiply, subtract, value } from './binary32.js';

const lesser = (a: Binary32, b: Binary32): Binary32 => (a < b ? a : b);
const greater = (a: Binary32, b: Binary32): Binary32 => (a > b ? a : b);
const magnitude = (x: Binary32): Binary32 => value(bits(x) & 0x7fffffff);
/** |y| with the sign bit of x */
const sign = (y: Binary32, x: Binary32): Binary32 => value((bits(y) & 0x7fffffff) | (bits(x) & -0x80000000));

function horner(coefficients: readonly Binary32[], t: Binary32): Binary32 {
  let result = coefficients[coefficients.length - 1] as number;
  for (let i = coefficients.length - 2; i >= 0; i--) result = fma(result, t, coefficients[i] as number);
  return result;
}

const literals = (...list: string[]): readonly Binary32[] => list.map(hex);

const magic = hex('0x1.8p23');
const inverseLog2 = hex('0x1.715476p+0');
const log2High = hex('0x1.62e4p-1');
const log2Low = hex('0x1.7f7d1cp-20');
const expCoefficients = literals(
  ...['0x1.fffffcp-2', '0x1.555492p-3', '0x1.5558f2p-5', '0x1.123a2p-7', '0x1.6a23ccp-10'],
);

/** x = k log 2 + r, and p, about exp(r) - 1 */
function reduce(x: Binary32): { k: number; p: Binary32 } {
  const shifted = fma(x, inverseLog2, magic);
  const n = subtract(shifted, magic);
  const k = (bits(shifted) - bits(magic)) | 0;
  const r = fma(-n, log2Low, fma(-n, log2High, x));
  const q = horner(expCoefficients, r);
  return { k, p: fma(multiply(r, r), q, r) };
}

const powerOfTwo = (exponent: number): Binary32 => value((exponent + 127) << 23);

export function exp(x: Binary32): Binary32 {
  const { k, p } = reduce(greater(-104, lesser(89, x)));
  const half = k >> 1;
  return multiply(multiply(add(p, 1), powerOfTwo(half)), powerOfTwo(k - half));
}

/** |x| < 64 */
function expMinusOne(x: Binary32): Binary32 {
  const { k, p } = reduce(x);
  const power = powerOfTwo(k);
  return fma(p, power, subtract(power, 1));
}

const erfEnd = Math.fround(3.95);
const erfCoefficients = literals(
  ...['-0x1.06eba8p-3', '-0x1.45f2fap-1', '-0x1.a4fa6p-4', '0x1.39cddep-6', '0x1.5047e6p-13'],
  ...['-0x1.b4fd42p-10', '0x1.4bc68ep-11', '-0x1.ed64cep-14', '0x1.368ffep-17'],
);

export function erf(x: Binary32): Binary32 {
  const a = lesser(erfEnd, magnitude(x));
  const q = horner(erfCoefficients, a);
  return sign(expMinusOne(fma(a, q, subtract(0, a))), x);
}

const tanhEnd = Math.fround(9.1);

export function tanh(x: Binary32): Binary32 {
  const a = lesser(tanhEnd, magnitude(x));
  const e = expMinusOne(add(a, a));
  return sign(divide(e, add(e, 2)), x);
}

const smallestNormal = hex('0x1p-126');
const log2HighForLog = hex('0x1.63p-1');
const log2LowForLog = hex('-0x1.bd0106p-13');
const logCoefficients = literals(
  ...['0x1.555548p-2', '-0x1.000006p-2', '0x1.99a4b6p-3', '-0x1.555c4ep-3', '0x1.23376cp-3'],
  ...['-0x1.fc220ap-4', '0x1.e6f03ap-4', '-0x1.de3bf4p-4', '0x1.1457e6p-4'],
);

export function log(x: Binary32): Binary32 {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  const isSmall = x < smallestNormal;
  const i = bits(isSmall ? multiply(x, hex('0x1p23')) : x);
  const k = (i - 0x3f3504f3) >> 23;
  const f = subtract(value(i - (k << 23)), 1);
  const shift = subtract(value(k + bits(magic)), magic);
  const n = isSmall ? subtract(shift, 23) : shift;
  const z = multiply(f, f);
  const polynomial = horner(logCoefficients, f);
  const low = fma(n, log2LowForLog, fma(multiply(f, z), polynomial, multiply(z, -0.5)));
  return fma(n, log2HighForLog, add(f, low));
}
