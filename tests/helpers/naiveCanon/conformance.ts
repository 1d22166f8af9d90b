/** Section 8: the conformance run, written from the text alone. */
import { createHash } from 'node:crypto';
import type { Hex32, ModelShape } from '../../../src/protocol/task.js';
import { bits } from './binary32.js';
import { initialise } from './initialise.js';
import { constantsOf, scalarsOf } from './scalars.js';
import { stateRoot } from './stateRoot.js';
import { innerStep, outerStep, type State, zerosLike } from './step.js';

interface Case {
  model: ModelShape;
  rows: number;
  tokens: number;
  microBatches: number;
}

const cases: readonly Case[] = [
  {
    model: { vocabSize: 1031, blockSize: 83, layers: 2, heads: 3, width: 33, gelu: 'erf' },
    ...{ rows: 2, tokens: 77, microBatches: 2 },
  },
  {
    model: { vocabSize: 67, blockSize: 131, layers: 1, heads: 2, width: 26, gelu: 'tanh' },
    ...{ rows: 9, tokens: 131, microBatches: 1 },
  },
];

const inner = {
  ...{ learningRate: 0.01, warmupSteps: 4, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
  ...{ weightDecay: 0.1, clipNorm: 0.5 },
};

function u32(integer: number, order: 'LE' | 'BE'): Buffer {
  const bytes = Buffer.alloc(4);
  if (order === 'LE') bytes.writeUInt32LE(integer);
  else bytes.writeUInt32BE(integer >>> 0);
  return bytes;
}

const bytesOfHex = (hex: Hex32): Buffer => Buffer.from(hex.slice(2), 'hex');

function batchOf(seed: Hex32, number: number, b: number) {
  const { model, rows, tokens, microBatches } = cases[number] as Case;
  const count = microBatches * rows * tokens;
  const token = (j: number): number => {
    const hash = createHash('sha256').update('panthalia-conformance/1').update(bytesOfHex(seed));
    const position = [u32(number, 'LE'), u32(b, 'LE'), u32(Math.floor(j / 8), 'LE')];
    return (
      hash
        .update(Buffer.concat(position))
        .digest()
        .readUInt32LE(4 * (j % 8)) % model.vocabSize
    );
  };
  return {
    inputs: Int32Array.from({ length: count }, (_, j) => token(j)),
    targets: Int32Array.from({ length: count }, (_, j) => token(count + j)),
  };
}

/** The digest of S steps from a seed of 32 bytes. */
export function conformanceDigest(S: number, seed: Hex32): Hex32 {
  const digest = createHash('sha256');
  for (const [number, { model, ...shape }] of cases.entries()) {
    const state = initialise(model, seed);
    const theta = [state.theta.map((tensor) => tensor.slice())];
    digest.update(bytesOfHex(stateRoot(state)));
    for (const [index, scalars] of scalarsOf(inner, S).entries()) {
      const batch = batchOf(seed, number, index % 4);
      const { loss, norm } = innerStep(state, { model, ...shape, inner: constantsOf(inner) }, batch, scalars);
      digest
        .update(u32(bits(loss), 'BE'))
        .update(u32(bits(norm), 'BE'))
        .update(bytesOfHex(stateRoot(state)));
      theta.push(state.theta.map((tensor) => tensor.slice()));
    }
    digest.update(outerRoots(theta, S));
  }
  return `0x${digest.digest('hex')}`;
}

/** outerRoot_1 | outerRoot_2; theta: those of steps 0 .. S */
function outerRoots(theta: State['theta'][], S: number): Uint8Array {
  const [start, first, last] = [theta[0], theta[1], theta[S]];
  if (!start || !first || !last) throw new RangeError(`expected at least one step, received ${S}`);
  const outer = { results: [first, last], learningRate: Math.fround(0.7), outerMomentum: Math.fround(0.9) };
  const one = outerStep({ ...outer, theta: start, momentum: zerosLike(start) });
  const two = outerStep({ ...outer, ...one });
  const root = (theta: State['theta']) => stateRoot({ theta, m: zerosLike(theta), v: zerosLike(theta) });
  return Buffer.concat([bytesOfHex(root(one.theta)), bytesOfHex(root(two.theta))]);
}
