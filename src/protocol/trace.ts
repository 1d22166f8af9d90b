/** The trace: S_0 .. S_H, and the keccak-256 tree over it that a contract can open.
 *
 *  S_k  = SHA-256(0x03 | taskId | SHA-256(opset) | u32be k | stateRoot_k | gradientRoot_k | batchDigest_k | scalars_k as 3 u32be
 *                 | loss_k, norm_k as 2 u32be)
 *         all but the state root belong to the step that led to state k, and are zero for k = 0
 *  leaf = keccak(0x00 | u32be i | S_i);  node = keccak(0x01 | l | r);  padded to a power of two with zero hashes
 *  source: docs/protocol.md, state tree and trace */
import { createHash } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { fp32Bits } from './spec.js';
import { type Hex32, hex32, type Opset, type StepScalars } from './task.js';

const zero32 = new Uint8Array(32);

/** The step from X_{k-1} to X_k. */
export interface Transition {
  /** of the batch it consumed */
  batchDigest: Hex32;
  scalars: StepScalars;
  /** root of the gradients, laid out as theta, before the clip factor */
  gradientRoot: Hex32;
  /** nats per token, before the update; a value of fp32 */
  loss: number;
  /** L2 of the gradients, before the clip factor; a value of fp32 */
  gradientNorm: number;
}

export interface TraceLeafInput {
  taskId: Hex32;
  opset: Opset;
  /** k: 0 is the base state, H the result */
  step: number;
  /** root of X_k */
  stateRoot: Hex32;
  /** the step that led to X_k; null for k = 0 */
  transition: Transition | null;
}

/** S_k, 32 bytes. */
export function traceLeaf({ transition, ...at }: TraceLeafInput): Hex32 {
  return traceLeafOfBytes({ ...at, transition: transitionBytes(transition) });
}

/** S_k from the bytes that somebody else says belong to it.  transition: `transitionSize` of them */
export function traceLeafOfBytes({
  taskId,
  opset,
  step,
  stateRoot,
  transition,
}: Omit<TraceLeafInput, 'transition'> & { transition: Uint8Array }): Hex32 {
  const hash = createHash('sha256')
    .update(Uint8Array.of(3))
    .update(bytes32(taskId))
    .update(createHash('sha256').update(opset, 'ascii').digest())
    .update(u32be(step))
    .update(bytes32(stateRoot));
  return hex32(hash.update(transition).digest());
}

/** What belongs to the step that led to a state, as its leaf hashes it. */
export const transitionSize = 84;

export function transitionBytes(transition: Transition | null): Uint8Array {
  if (transition === null) return new Uint8Array(transitionSize);
  const { gradientRoot, batchDigest, scalars, loss, gradientNorm } = transition;
  const { stepSize, secondMomentScale, decay } = scalars;
  const numbers = u32be(stepSize, secondMomentScale, decay, fp32Bits(loss), fp32Bits(gradientNorm));
  return Buffer.concat([bytes32(gradientRoot), bytes32(batchDigest), numbers]);
}

/** SHA-256 of inputs then targets as uint16 little-endian, row-major.  throws RangeError for a token outside uint16 */
export function batchDigest(batch: { inputs: Int32Array; targets: Int32Array }): Hex32 {
  const hash = createHash('sha256');
  for (const tokens of [batch.inputs, batch.targets]) {
    const bytes = Buffer.alloc(2 * tokens.length);
    tokens.forEach((token, i) => {
      bytes.writeUInt16LE(token, 2 * i);
    });
    hash.update(bytes);
  }
  return hex32(hash.digest());
}

/** leaves: S_0 .. S_H */
export function traceRoot(leaves: readonly Hex32[]): Hex32 {
  return hex32((traceLevels(leaves).at(-1) as Uint8Array[])[0] as Uint8Array);
}

/** Siblings from the leaf up, as `TraceTree.verify` takes them.  throws RangeError where the trace has no such leaf */
export function traceProof(leaves: readonly Hex32[], index: number): Hex32[] {
  if (!(index >= 0 && index < leaves.length)) {
    throw new RangeError(`the last leaf of this trace is ${leaves.length - 1}, received index ${index}`);
  }
  const levels = traceLevels(leaves);
  return levels.slice(0, -1).map((level, height) => hex32(level[(index >> height) ^ 1] as Uint8Array));
}

/** Siblings of S_k and S_{k+1} together, as `TraceTree.verifyPair` takes them: from the leaves up those of both while their paths are
 *  apart, then those of the one path above.  throws RangeError where the trace has no such pair */
export function tracePairProof(leaves: readonly Hex32[], k: number): Hex32[] {
  const left = traceProof(leaves, k);
  const right = traceProof(leaves, k + 1);
  // The two are neighbours under one node at the first level where the left one is a left child.
  const meeting = left.findIndex((_, level) => ((k >> level) & 1) === 0);
  const apart = left.slice(0, meeting).flatMap((sibling, level) => [sibling, right[level] as Hex32]);
  return [...apart, ...left.slice(meeting + 1)];
}

/** The root that this leaf and these siblings lead to. */
export function traceRootFromProof(leaf: Hex32, index: number, proof: readonly Hex32[]): Hex32 {
  const root = proof.reduce<Uint8Array>(
    (node, sibling, height) =>
      (index >> height) & 1 ? parent(bytes32(sibling), node) : parent(node, bytes32(sibling)),
    leafHash(index, leaf),
  );
  return hex32(root);
}

/** The blob of the trace: (H + 1) * 32 bytes. */
export function encodeLeaves(leaves: readonly Hex32[]): Uint8Array {
  return Buffer.concat(leaves.map(bytes32));
}

/** throws RangeError when the length is not a positive multiple of 32 */
export function decodeLeaves(blob: Uint8Array): Hex32[] {
  if (blob.byteLength === 0 || blob.byteLength % 32 !== 0) {
    throw new RangeError(`trace leaves come in 32-byte pieces, received ${blob.byteLength} bytes`);
  }
  return Array.from({ length: blob.byteLength / 32 }, (_, i) => hex32(blob.subarray(32 * i, 32 * (i + 1))));
}

function traceLevels(leaves: readonly Hex32[]): Uint8Array[][] {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, leaves.length)));
  let level = Array.from({ length: size }, (_, i) => {
    const leaf = leaves[i];
    return leaf === undefined ? zero32 : leafHash(i, leaf);
  });
  const levels = [level];
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) =>
      parent(below[2 * i] as Uint8Array, below[2 * i + 1] as Uint8Array),
    );
    levels.push(level);
  }
  return levels;
}

function leafHash(index: number, leaf: Hex32): Uint8Array {
  const input = Buffer.alloc(37);
  input.writeUInt32BE(index, 1);
  input.set(bytes32(leaf), 5);
  return keccak_256(input);
}

function parent(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak_256(Buffer.concat([Uint8Array.of(1), left, right]));
}

function u32be(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, 4 * i);
  });
  return bytes;
}

function bytes32(hex: Hex32): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex');
}
