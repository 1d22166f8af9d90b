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

const powerOfTwo = (exponent: number): Binary32 => value((exponent + 127) << 23);

/** x = k log 2 + r, q about (exp(r) - 1 - r) / r^2, and 2^k where that is a normal number */
function reduce(x: Binary32): { k: number; r: Binary32; q: Binary32; power: Binary32 } {
  const shifted = fma(x, inverseLog2, magic);
  const n = subtract(shifted, magic);
  const k = (bits(shifted) - bits(magic)) | 0;
  const r = fma(-n, log2Low, fma(-n, log2High, x));
  return { k, r, q: horner(expCoefficients, r), power: powerOfTwo(k) };
}

export function exp(x: Binary32): Binary32 {
  const { k, r, q } = reduce(greater(-104, lesser(89, x)));
  const half = k >> 1;
  return multiply(multiply(fma(fma(q, r, 1), r, 1), powerOfTwo(half)), powerOfTwo(k - half));
}

const erfEnd = Math.fround(3.95);
const erfCoefficients = literals(
  ...['-0x1.06eba8p-3', '-0x1.45f2fap-1', '-0x1.a4fa6p-4', '0x1.39cddep-6', '0x1.5047e6p-13'],
  ...['-0x1.b4fd42p-10', '0x1.4bc68ep-11', '-0x1.ed64cep-14', '0x1.368ffep-17'],
);

export function erf(x: Binary32): Binary32 {
  const a = lesser(erfEnd, magnitude(x));
  const polynomial = horner(erfCoefficients, a);
  const t = fma(a, polynomial, subtract(0, a));
  const tLow = fma(a, polynomial, subtract(subtract(0, a), t));
  const { r, q, power } = reduce(t);
  const p = add(r, fma(multiply(r, r), q, tLow));
  return sign(fma(p, power, subtract(power, 1)), x);
}

const tanhEnd = Math.fround(9.1);

export function tanh(x: Binary32): Binary32 {
  const a = lesser(tanhEnd, magnitude(x));
  const { r, q, power } = reduce(add(a, a));
  const square = multiply(r, r);
  const p = fma(square, q, r);
  const pLow = fma(square, q, subtract(r, p));
  const e = fma(p, power, subtract(power, 1));
  const eLow = fma(pLow, power, fma(p, power, subtract(subtract(power, 1), e)));
  const d = add(e, 2);
  const dLow = subtract(e, subtract(d, 2));
  const inverse = divide(1, d);
  const quotient = multiply(e, inverse);
  const rest = fma(eLow, subtract(1, quotient), fma(-quotient, dLow, fma(-quotient, d, e)));
  return sign(fma(rest, inverse, quotient), x);
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
