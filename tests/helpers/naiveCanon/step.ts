/** Section 5: inner step and outer step. */
import type { InnerConstants, ModelShape, StepScalars } from '../../../src/protocol/task.js';
import { add, at, type Binary32, divide, fma, multiply, squareRoot, subtract, value } from './binary32.js';
import { forwardBackward, type Tensors, tensorShapes } from './model.js';
import { rowsumOfProducts } from './sums.js';

/** X_k without k. */
export interface State {
  theta: Tensors;
  m: Tensors;
  v: Tensors;
}

export interface InnerStep {
  model: ModelShape;
  rows: number;
  tokens: number;
  microBatches: number;
  inner: InnerConstants;
}

export interface StepOutcome {
  loss: Binary32;
  norm: Binary32;
  /** before clipping */
  gradient: Tensors;
}

export function zerosLike(tensors: Tensors): Tensors {
  return tensors.map((tensor) => new Float32Array(tensor.length));
}

/** One inner step; changes state in place.  inputs, targets: (A, B, T) */
export function innerStep(
  state: State,
  { model, rows, tokens, microBatches: A, inner }: InnerStep,
  { inputs, targets }: { inputs: Int32Array; targets: Int32Array },
  scalars: StepScalars,
): StepOutcome {
  const N = rows * tokens;
  const pass = (a: number) =>
    forwardBackward(state.theta, {
      ...{ model, rows, tokens, microBatches: A },
      ...{ inputs: inputs.subarray(a * N, (a + 1) * N), targets: targets.subarray(a * N, (a + 1) * N) },
    });
  let { loss, gradient } = pass(0);
  for (let a = 1; a < A; a++) {
    const next = pass(a);
    loss = add(loss, next.loss);
    gradient = gradient.map((g, t) => g.map((x, i) => add(x, at(next.gradient[t] as Float32Array, i))));
  }
  if (A > 1) loss = divide(loss, A);

  const norm = gradientNorm(gradient);
  const ratio = divide(value(inner.clipNorm), add(norm, Math.fround(1e-6)));
  adamW(state, gradient, { model, scale: Math.min(ratio, 1), inner, scalars });
  return { loss, norm, gradient };
}

function gradientNorm(gradient: Tensors): Binary32 {
  const squares = gradient.map((g) => {
    const chunks: Binary32[] = [];
    for (let start = 0; start < g.length; start += 4096) {
      const element = (i: number) => at(g, start + i);
      chunks.push(rowsumOfProducts(Math.min(4096, g.length - start), element, element));
    }
    return chunks.reduce(add);
  });
  return squareRoot(squares.reduce(add));
}

function adamW(
  state: State,
  gradient: Tensors,
  options: { model: ModelShape; scale: Binary32; inner: InnerConstants; scalars: StepScalars },
): void {
  const { model, scale, inner, scalars } = options;
  const [beta1, oneMinusBeta1] = [value(inner.beta1), value(inner.oneMinusBeta1)];
  const [beta2, oneMinusBeta2] = [value(inner.beta2), value(inner.oneMinusBeta2)];
  const [stepSize, secondMomentScale] = [value(scalars.stepSize), value(scalars.secondMomentScale)];
  const epsilon = value(inner.epsilon);
  for (const [t, { shape }] of tensorShapes(model).entries()) {
    const decay = shape.length === 1 ? 1 : value(scalars.decay);
    const tensor = (list: Tensors) => list[t] as Float32Array;
    const [theta, m, v] = [tensor(state.theta), tensor(state.m), tensor(state.v)];
    tensor(gradient).forEach((unscaled, i) => {
      const g = multiply(unscaled, scale);
      const p = multiply(at(theta, i), decay);
      const newM = fma(beta1, at(m, i), multiply(oneMinusBeta1, g));
      const newV = fma(beta2, at(v, i), multiply(multiply(oneMinusBeta2, g), g));
      const denominator = add(multiply(squareRoot(newV), secondMomentScale), epsilon);
      m[i] = newM;
      v[i] = newV;
      theta[i] = fma(-stepSize, divide(newM, denominator), p);
    });
  }
}

/** The outer step; results in slot order. Returns the new theta and momentum. */
export function outerStep(options: {
  theta: Tensors;
  momentum: Tensors;
  results: Tensors[];
  learningRate: Binary32;
  outerMomentum: Binary32;
}): { theta: Tensors; momentum: Tensors } {
  const { learningRate: lr, outerMomentum: mu, results } = options;
  const element = (list: Tensors | undefined, t: number, i: number) => at(list?.[t] as Float32Array, i);
  const mean = options.theta.map((tensor, t) =>
    tensor.map((x, i) => {
      const difference = (r: number) => subtract(x, element(results[r], t, i));
      let total = difference(0);
      for (let r = 1; r < results.length; r++) total = add(total, difference(r));
      return divide(total, results.length);
    }),
  );
  const momentum = mean.map((tensor, t) =>
    tensor.map((d, i) => add(multiply(mu, element(options.momentum, t, i)), d)),
  );
  const theta = options.theta.map((tensor, t) =>
    tensor.map((x, i) => fma(-lr, fma(mu, element(momentum, t, i), element(mean, t, i)), x)),
  );
  return { theta, momentum };
}
