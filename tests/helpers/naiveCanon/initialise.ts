/** Section 6: Philox4x32-10, the normal quantile in binary64, and GPT-2's initialisation. */
import { createHash } from 'node:crypto';
import type { Hex32, ModelShape } from '../../../src/protocol/task.js';
import { type Tensors, tensorShapes } from './model.js';
import { type State, zerosLike } from './step.js';

type Words = [number, number, number, number];

/** High and low 32 bits of a product of two unsigned 32-bit integers. */
function product(a: number, b: number): [number, number] {
  const exact = BigInt(a) * BigInt(b);
  return [Number(exact >> 32n), Number(exact & 0xffffffffn)];
}

const xor = (...words: number[]) => words.reduce((a, b) => a ^ b) >>> 0;

/** source: Salmon et al. 2011 */
export function philox(key: readonly [number, number], counter: Readonly<Words>): Words {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = product(0xd2511f53, c0);
    const [high1, low1] = product(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [xor(high1, c1, k0), low1, xor(high0, c3, k1), low0];
    k0 = (k0 + 0x9e3779b9) % 2 ** 32;
    k1 = (k1 + 0xbb67ae85) % 2 ** 32;
  }
  return [c0, c1, c2, c3];
}

/** x = f * 2^e with 1 <= f < 2, for normal x > 0. */
function split(x: number): { f: number; e: number } {
  let [f, e] = [x, 0];
  while (f >= 2) [f, e] = [f * 0.5, e + 1];
  while (f < 1) [f, e] = [f * 2, e - 1];
  return { f, e };
}

function naturalLogarithm(x: number): number {
  let { f, e } = split(x);
  if (f > Math.SQRT2) [f, e] = [f * 0.5, e + 1];
  const s = (f - 1) / (f + 1);
  const y = s * s;
  let series = 0;
  for (let odd = 21; odd >= 1; odd -= 2) series = series * y + 1 / odd;
  return e * Math.LN2 + 2 * s * series;
}

const horner = (coefficients: string) => {
  const descending = coefficients.split(/\s+/).map(Number).reverse();
  return (x: number) => descending.reduce((sum, coefficient) => sum * x + coefficient, 0);
};

/** A .. D of Wichura's AS 241, PPND16, lowest coefficient first. The last digits of some are beyond binary64, on purpose. */
const polynomials = {
  A: horner(`3.3871328727963666080e0 1.3314166789178437745e+2 1.9715909503065514427e+3 1.3731693765509461125e+4
    4.5921953931549871457e+4 6.7265770927008700853e+4 3.3430575583588128105e+4 2.5090809287301226727e+3`),
  B: horner(`1.0 4.2313330701600911252e+1 6.8718700749205790830e+2 5.3941960214247511077e+3
    2.1213794301586595867e+4 3.9307895800092710610e+4 2.8729085735721942674e+4 5.2264952788528545610e+3`),
  C: horner(`1.42343711074968357734e0 4.63033784615654529590e0 5.76949722146069140550e0 3.64784832476320460504e0
    1.27045825245236838258e0 2.41780725177450611770e-1 2.27238449892691845833e-2
    7.74545014278341407640e-4`),
  D: horner(`1.0 2.05319162663775882187e0 1.67638483018380384940e0 6.89767334985100004550e-1
    1.48103976427480074590e-1 1.51986665636164571966e-2 5.47593808499534494600e-4
    1.05075007164441684324e-9`),
};

/** The normal quantile of (word + 0.5) / 2^32. */
export function quantile(word: number): number {
  const u = (word + 0.5) * 2 ** -32;
  const q = u - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomials.A(r)) / polynomials.B(r);
  }
  const r = Math.sqrt(-naturalLogarithm(q < 0 ? u : 1 - u));
  const magnitude = polynomials.C(r - 1.6) / polynomials.D(r - 1.6);
  return q < 0 ? -magnitude : magnitude;
}

function initialTensor(seed: Hex32, number: number, length: number, deviation: number): Float32Array {
  const index = Buffer.alloc(4);
  index.writeUInt32LE(number);
  const hash = createHash('sha256')
    .update('panthalia-init/1')
    .update(Buffer.from(seed.slice(2), 'hex'));
  const digest = hash.update(index).digest();
  const key = [digest.readUInt32LE(0), digest.readUInt32LE(4)] as const;
  const out = new Float32Array(length);
  for (let i = 0; i < length; i += 4) {
    const block = i / 4;
    const words = philox(key, [block % 2 ** 32, Math.floor(block / 2 ** 32), 0, 0]);
    out.set(
      words.slice(0, length - i).map((word) => Math.fround(quantile(word) * deviation)),
      i,
    );
  }
  return out;
}

/** X_0 of a run with this seed. */
export function initialise(model: ModelShape, seed: Hex32): State {
  const theta: Tensors = tensorShapes(model).map(({ name, shape }, number) => {
    const length = shape.reduce((a, b) => a * b);
    if (shape.length === 1) return new Float32Array(length).fill(1);
    const deviation = name.endsWith('c_proj') ? 0.02 / Math.sqrt(2 * model.layers) : 0.02;
    return initialTensor(seed, number, length, deviation);
  });
  return { theta, m: zerosLike(theta), v: zerosLike(theta) };
}
