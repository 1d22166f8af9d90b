/** Section 4: every operator but attention, forward and backward. Tensors are dense and row-major.
 *  N positions, C width, K inputs of a linear layer, M its outputs, V vocabulary. */
import { add, at, type Binary32, divide, fma, hex, multiply, squareRoot, subtract } from './binary32.js';
import { erf, exp, log, tanh } from './elementary.js';
import { colsumOfProducts, gemm, greatest, rowsum, rowsumOfProducts } from './sums.js';

/** x (N, K), w (M, K) -> (N, M) */
export function linear(x: Float32Array, w: Float32Array, K: number): Float32Array {
  const [N, M] = [x.length / K, w.length / K];
  const out = new Float32Array(N * M);
  for (let n = 0; n < N; n++) {
    for (let m = 0; m < M; m++) {
      out[n * M + m] = gemm(
        0,
        K,
        (k) => at(x, n * K + k),
        (k) => at(w, m * K + k),
      );
    }
  }
  return out;
}

/** dout (N, M), x (N, K), w (M, K) -> dx (N, K), dw (M, K) */
export function linearBackward(dout: Float32Array, x: Float32Array, w: Float32Array, K: number) {
  const [N, M] = [x.length / K, w.length / K];
  const dx = new Float32Array(N * K);
  const dw = new Float32Array(M * K);
  for (let k = 0; k < K; k++) {
    for (let n = 0; n < N; n++) {
      dx[n * K + k] = gemm(
        0,
        M,
        (m) => at(dout, n * M + m),
        (m) => at(w, m * K + k),
      );
    }
    for (let m = 0; m < M; m++) {
      dw[m * K + k] = gemm(
        0,
        N,
        (n) => at(dout, n * M + m),
        (n) => at(x, n * K + k),
      );
    }
  }
  return { dx, dw };
}

/** Elementwise a + b. */
export function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => add(x, at(b, i)));
}

const layerNormEpsilon = Math.fround(1e-5);

function statistics(x: Float32Array, n: number, C: number) {
  const mean = divide(
    rowsum(C, (c) => at(x, n * C + c)),
    C,
  );
  const d = (c: number) => subtract(at(x, n * C + c), mean);
  const variance = divide(rowsumOfProducts(C, d, d), C);
  return { d, r: divide(1, squareRoot(add(variance, layerNormEpsilon))) };
}

/** x (N, C), gain (C) -> (N, C) */
export function layerNorm(x: Float32Array, gain: Float32Array): Float32Array {
  const C = gain.length;
  const out = new Float32Array(x.length);
  for (let n = 0; n < x.length / C; n++) {
    const { d, r } = statistics(x, n, C);
    for (let c = 0; c < C; c++) out[n * C + c] = multiply(multiply(d(c), r), at(gain, c));
  }
  return out;
}

/** dout (N, C), x (N, C), gain (C) -> dx (N, C), dgain (C) */
export function layerNormBackward(dout: Float32Array, x: Float32Array, gain: Float32Array) {
  const C = gain.length;
  const N = x.length / C;
  const dx = new Float32Array(x.length);
  const xhats = new Float32Array(x.length);
  for (let n = 0; n < N; n++) {
    const { d, r } = statistics(x, n, C);
    const xhat = (c: number) => multiply(d(c), r);
    const g = (c: number) => multiply(at(dout, n * C + c), at(gain, c));
    const a = divide(rowsum(C, g), C);
    const b = divide(rowsumOfProducts(C, g, xhat), C);
    for (let c = 0; c < C; c++) {
      dx[n * C + c] = multiply(r, fma(-xhat(c), b, subtract(g(c), a)));
      xhats[n * C + c] = xhat(c);
    }
  }
  const dgain = gain.map((_, c) =>
    colsumOfProducts(
      N,
      (n) => at(dout, n * C + c),
      (n) => at(xhats, n * C + c),
    ),
  );
  return { dx, dgain };
}

const inverseSqrt2 = hex('0x1.6a09e6p-1');
const inverseSqrt2Pi = hex('0x1.988454p-2');
const k0 = hex('0x1.988454p-1');
const k1 = hex('0x1.6e4e26p-5');
const k3 = hex('0x1.12ba9ep-3');

const tanhOfGelu = (x: Binary32, x2: Binary32): Binary32 => tanh(multiply(multiply(k0, x), fma(k1, x2, 1)));

const geluForms = {
  erf: (x: Binary32): Binary32 => {
    const e = erf(multiply(x, inverseSqrt2));
    const half = multiply(0.5, x);
    return fma(half, e, half);
  },
  tanh: (x: Binary32): Binary32 => {
    const t = tanhOfGelu(x, multiply(x, x));
    const half = multiply(0.5, x);
    return fma(half, t, half);
  },
};

const geluBackwardForms = {
  erf: (dout: Binary32, x: Binary32): Binary32 => {
    const cdf = fma(0.5, erf(multiply(x, inverseSqrt2)), 0.5);
    const density = exp(multiply(multiply(x, -0.5), x));
    return multiply(dout, fma(multiply(x, inverseSqrt2Pi), density, cdf));
  },
  tanh: (dout: Binary32, x: Binary32): Binary32 => {
    const x2 = multiply(x, x);
    const t = tanhOfGelu(x, x2);
    const half = multiply(0.5, x);
    const slope = multiply(half, fma(-t, t, 1));
    return multiply(dout, fma(slope, multiply(k0, fma(k3, x2, 1)), fma(0.5, t, 0.5)));
  },
};

export type GeluForm = keyof typeof geluForms;

export function gelu(x: Float32Array, form: GeluForm): Float32Array {
  return x.map(geluForms[form]);
}

export function geluBackward(dout: Float32Array, x: Float32Array, form: GeluForm): Float32Array {
  return x.map((value, i) => geluBackwardForms[form](at(dout, i), value));
}

/** z (N, V), targets (N) -> loss, and dz (N, V) for one of `microBatches` micro-batches */
export function crossEntropy(z: Float32Array, targets: Int32Array, microBatches: number) {
  const N = targets.length;
  const V = z.length / N;
  const losses = new Float32Array(N);
  const dz = new Float32Array(z.length);
  const share = divide(1, Math.fround(N * microBatches));
  targets.forEach((y, n) => {
    const row = (v: number) => at(z, n * V + v);
    const m = greatest(V, row);
    const e = (v: number) => exp(subtract(row(v), m));
    const s = rowsum(V, e);
    losses[n] = subtract(add(log(s), m), row(y));
    const w = divide(share, s);
    for (let v = 0; v < V; v++) dz[n * V + v] = v === y ? fma(e(v), w, -share) : multiply(e(v), w);
  });
  return {
    loss: divide(
      rowsum(N, (n) => at(losses, n)),
      Math.fround(N),
    ),
    dz,
  };
}
