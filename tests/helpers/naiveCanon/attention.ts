/** Section 4: causal attention, forward and backward.
 *  B rows, T tokens, h heads, D = C / h; a row of qkv is q | k | v, each (h, D). */
import { at, type Binary32, divide, multiply, squareRoot, subtract } from './binary32.js';
import { exp } from './elementary.js';
import { gemm, greatest, rowsum, rowsumOfProducts } from './sums.js';

export interface AttentionShape {
  rows: number;
  tokens: number;
  heads: number;
  width: number;
}

/** Element of a (T, D) or (T, T) matrix. */
type Matrix = (row: number, column: number) => Binary32;

/** What one head of one batch row sees of qkv (N, 3C) and of tensors like o (N, C). */
function head({ tokens, heads, width: C }: AttentionShape, row: number, index: number) {
  const D = C / heads;
  const place = (width: number, first: number) => (t: number, d: number) =>
    (row * tokens + t) * width + first + index * D + d;
  const view =
    (tensor: Float32Array, position: Matrix): Matrix =>
    (t, d) =>
      at(tensor, position(t, d));
  const places = { q: place(3 * C, 0), k: place(3 * C, C), v: place(3 * C, 2 * C), o: place(C, 0) };
  return { D, sigma: divide(1, squareRoot(D)), places, view };
}

/** J(i): probabilities beyond i are +0 and still take part, to the end of i's block of 64 positions. */
const blockEnd = (i: number, T: number) => Math.min(T, 64 * Math.floor(i / 64) + 64);
const blockStart = (j: number) => 64 * Math.floor(j / 64);

/** p_ij of one head, (T, T) */
function probabilities(q: Matrix, k: Matrix, T: number, D: number, sigma: Binary32): Float32Array {
  const p = new Float32Array(T * T);
  for (let i = 0; i < T; i++) {
    const s = new Float32Array(i + 1);
    for (let j = 0; j <= i; j++) {
      s[j] = multiply(
        gemm(
          0,
          D,
          (d) => q(i, d),
          (d) => k(j, d),
        ),
        sigma,
      );
    }
    const m = greatest(i + 1, (j) => at(s, j));
    const e = s.map((x) => exp(subtract(x, m)));
    const w = divide(
      1,
      rowsum(i + 1, (j) => at(e, j)),
    );
    for (let j = 0; j <= i; j++) p[i * T + j] = multiply(at(e, j), w);
  }
  return p;
}

/** qkv (N, 3C) -> o (N, C) */
export function attention(shape: AttentionShape, qkv: Float32Array): Float32Array {
  const { tokens: T } = shape;
  const out = new Float32Array(qkv.length / 3);
  for (let row = 0; row < shape.rows; row++) {
    for (let index = 0; index < shape.heads; index++) {
      const { D, sigma, places, view } = head(shape, row, index);
      const v = view(qkv, places.v);
      const p = probabilities(view(qkv, places.q), view(qkv, places.k), T, D, sigma);
      for (let i = 0; i < T; i++) {
        for (let d = 0; d < D; d++) {
          out[places.o(i, d)] = gemm(
            0,
            blockEnd(i, T),
            (j) => at(p, i * T + j),
            (j) => v(j, d),
          );
        }
      }
    }
  }
  return out;
}

/** dout (N, C), qkv (N, 3C), o (N, C) -> dqkv (N, 3C) */
export function attentionBackward(
  shape: AttentionShape,
  { dout, qkv, o: out }: { dout: Float32Array; qkv: Float32Array; o: Float32Array },
): Float32Array {
  const { tokens: T } = shape;
  const dqkv = new Float32Array(qkv.length);
  for (let row = 0; row < shape.rows; row++) {
    for (let index = 0; index < shape.heads; index++) {
      const { D, sigma, places, view } = head(shape, row, index);
      const [q, k, v] = [view(qkv, places.q), view(qkv, places.k), view(qkv, places.v)];
      const [o, dO] = [view(out, places.o), view(dout, places.o)];
      const p = probabilities(q, k, T, D, sigma);
      const ds = new Float32Array(T * T);
      for (let i = 0; i < T; i++) {
        const t = rowsumOfProducts(
          D,
          (d) => dO(i, d),
          (d) => o(i, d),
        );
        for (let j = 0; j <= i; j++) {
          const dp = gemm(
            0,
            D,
            (d) => dO(i, d),
            (d) => v(j, d),
          );
          ds[i * T + j] = multiply(multiply(at(p, i * T + j), subtract(dp, t)), sigma);
        }
      }
      for (let d = 0; d < D; d++) {
        for (let i = 0; i < T; i++) {
          dqkv[places.q(i, d)] = gemm(
            0,
            blockEnd(i, T),
            (j) => at(ds, i * T + j),
            (j) => k(j, d),
          );
        }
        for (let j = 0; j < T; j++) {
          dqkv[places.k(j, d)] = gemm(
            blockStart(j),
            T,
            (i) => at(ds, i * T + j),
            (i) => q(i, d),
          );
          dqkv[places.v(j, d)] = gemm(
            blockStart(j),
            T,
            (i) => at(p, i * T + j),
            (i) => dO(i, d),
          );
        }
      }
    }
  }
  return dqkv;
}
