/** Section 2: in which order terms are added. Terms are functions of their index, as in the text. */
import { add, type Binary32, fma } from './binary32.js';

type Term = (index: number) => Binary32;

/** chain(k in a .. end-1; u_k, v_k) */
export function chain(begin: number, end: number, u: Term, v: Term): Binary32 {
  let acc = 0;
  for (let k = begin; k < end; k++) acc = fma(u(k), v(k), acc);
  return acc;
}

/** gemm(k in a .. end-1; u_k, v_k): parts end where k is a multiple of 1024. */
export function gemm(begin: number, end: number, u: Term, v: Term): Binary32 {
  let result = 0;
  for (let from = begin; from < end; ) {
    const to = Math.min(end, 1024 * (Math.floor(from / 1024) + 1));
    const part = chain(from, to, u, v);
    result = from === begin ? part : add(result, part);
    from = to;
  }
  return result;
}

/** rowsum(x_0 .. x_n-1) */
export function rowsum(n: number, x: Term): Binary32 {
  return overLanes(n, (lane, i) => add(lane, x(i)));
}

/** rowsum(fma: a_i, b_i) */
export function rowsumOfProducts(n: number, a: Term, b: Term): Binary32 {
  return overLanes(n, (lane, i) => fma(a(i), b(i), lane));
}

function overLanes(n: number, step: (lane: Binary32, i: number) => Binary32): Binary32 {
  const lanes = new Array<Binary32>(32).fill(0);
  for (let l = 0; l < 32; l++) {
    for (let i = l; i < n; i += 32) lanes[l] = step(lanes[l] as number, i);
  }
  for (const s of [16, 8, 4, 2, 1]) {
    for (let l = 0; l < s; l++) lanes[l] = add(lanes[l] as number, lanes[l + s] as number);
  }
  return lanes[0] as number;
}

/** colsum(x_0 .. x_R-1) */
export function colsum(rows: number, x: Term): Binary32 {
  return overChunks(rows, (acc, r) => add(acc, x(r)));
}

/** colsum(fma: a_r, b_r) */
export function colsumOfProducts(rows: number, a: Term, b: Term): Binary32 {
  return overChunks(rows, (acc, r) => fma(a(r), b(r), acc));
}

function overChunks(rows: number, step: (acc: Binary32, r: number) => Binary32): Binary32 {
  let result = 0;
  for (let from = 0; from < rows; from += 64) {
    let acc = 0;
    for (let r = from; r < Math.min(rows, from + 64); r++) acc = step(acc, r);
    result = from === 0 ? acc : add(result, acc);
  }
  return result;
}

/** greatest(x_0 .. x_n-1) */
export function greatest(n: number, x: Term): Binary32 {
  let best = x(0);
  for (let i = 1; i < n; i++) {
    if (x(i) > best) best = x(i);
  }
  return best;
}
