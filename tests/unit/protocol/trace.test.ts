import { concat, keccak256, toBeHex } from 'ethers';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import type { Hex32, Opset } from '../../../src/protocol/task.js';
import {
  batchDigest,
  decodeLeaves,
  encodeLeaves,
  type TraceLeafInput,
  type Transition,
  traceLeaf,
  tracePairProof,
  traceProof,
  traceRoot,
  traceRootFromProof,
} from '../../../src/protocol/trace.js';
import fixture from '../../fixtures/trace.json' with { type: 'json' };

const leaves = fixture.leaves as Hex32[];
const inputs = fixture.states.map(
  (state) => ({ taskId: fixture.taskId, opset: fixture.opset, ...state }) as TraceLeafInput,
);

describe('the trace', () => {
  it('gives the leaves, the root and the proofs of the shared fixture', () => {
    expect(inputs.map(traceLeaf)).toEqual(leaves);
    expect(traceRoot(leaves)).toBe(fixture.traceRoot);
    expect(leaves.map((_, index) => traceProof(leaves, index))).toEqual(fixture.proofs);
  });

  it('digests a batch as uint16, inputs before targets', () => {
    const { inputs: first, targets } = fixture.batch;
    const batch = { inputs: Int32Array.from(first), targets: Int32Array.from(targets) };
    expect(batchDigest(batch)).toBe(fixture.batch.digest);
    expect(batchDigest({ inputs: batch.targets, targets: batch.inputs })).not.toBe(fixture.batch.digest);
    expect(() => batchDigest({ inputs: Int32Array.of(65536), targets: Int32Array.of(0) })).toThrow(
      RangeError,
    );
  });

  it('binds the task and every value of the step into each leaf', () => {
    const base = inputs[2] as TraceLeafInput & { transition: Transition };
    const { transition } = base;
    const other = `0x${'11'.repeat(32)}` as const;
    const variants: TraceLeafInput[] = [
      { ...base, taskId: other },
      { ...base, opset: 'canon' as Opset },
      { ...base, step: 3 },
      { ...base, stateRoot: other },
      { ...base, transition: null },
      ...[
        { batchDigest: other },
        { gradientRoot: other },
        { batchDigest: transition.gradientRoot, gradientRoot: transition.batchDigest },
        { scalars: { ...transition.scalars, decay: 1 } },
        { loss: transition.gradientNorm, gradientNorm: transition.loss },
        { loss: 0 },
        { loss: -0 },
      ].map((change) => ({ ...base, transition: { ...transition, ...change } })),
    ];
    expect(new Set([base, ...variants].map(traceLeaf)).size).toBe(variants.length + 1);
  });

  it('opens every leaf of every size from 1 to 9 and no other', () => {
    for (let size = 1; size <= 9; size++) {
      const some = Array.from({ length: size }, (_, i) => leaves[i % leaves.length] as Hex32);
      for (const [index, leaf] of some.entries()) {
        const proof = traceProof(some, index);
        expect(traceRootFromProof(leaf, index, proof)).toBe(traceRoot(some));
        expect(traceRootFromProof(leaf, index + 1, proof)).not.toBe(traceRoot(some));
      }
    }
  });

  it('has no proof for the padding', () => {
    expect(() => traceProof(leaves, 6)).toThrow('the last leaf of this trace is 5, received index 6');
  });

  it('round-trips the leaves blob and refuses a torn one', () => {
    expect(decodeLeaves(encodeLeaves(leaves))).toEqual(leaves);
    expect(() => decodeLeaves(new Uint8Array(33))).toThrow('received 33 bytes');
    expect(() => decodeLeaves(new Uint8Array(0))).toThrow(RangeError);
  });
});

/** TraceTree.verifyPair, in this language. */
function rootOfPair(leaves: readonly Hex32[], k: number): Hex32 {
  const node = (left: Hex32, right: Hex32) => keccak256(concat(['0x01', left, right])) as Hex32;
  const leaf = (i: number) => keccak256(concat(['0x00', toBeHex(i, 4), leaves[i] as Hex32])) as Hex32;
  const siblings = tracePairProof(leaves, k);
  let [place, left, right] = [k, leaf(k), leaf(k + 1)];
  const next = () => siblings.shift() as Hex32;
  for (; place & 1; place >>= 1) {
    left = node(next(), left);
    right = node(right, next());
  }
  let root = node(left, right);
  while (siblings.length > 0) {
    place >>= 1;
    root = place & 1 ? node(next(), root) : node(root, next());
  }
  return root;
}

it('two neighbours are proven together, with fewer hashes than one by one', () => {
  const many = Array.from({ length: 13 }, (_, i) => sha256Hex(`leaf ${i}`));
  for (let k = 0; k < 12; k++) {
    expect(rootOfPair(many, k)).toBe(traceRoot(many));
    expect(tracePairProof(many, k).length).toBeLessThan(2 * traceProof(many, k).length);
  }
  expect(() => tracePairProof(many, 12)).toThrow(RangeError);
});
