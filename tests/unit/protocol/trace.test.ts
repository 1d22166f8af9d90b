import { describe, expect, it } from 'vitest';
import type { Hex32, Opset } from '../../../src/protocol/task.js';
import {
  batchDigest,
  decodeLeaves,
  encodeLeaves,
  type TraceLeafInput,
  type Transition,
  traceLeaf,
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
