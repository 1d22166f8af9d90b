/** The state tree: one 32-byte root over theta, m and v.  twin: native/engine/state_tree.cc
 *
 *  chunk(t, j) = SHA-256(0x00 | u32le t | u32le j | up to 1024 fp32, little-endian)
 *  node(l, r)  = SHA-256(0x01 | l | r), an odd node goes up unchanged
 *  tensorRoot  = tree of the tensor's chunks;  groupRoot = tree of tensorRoots
 *  stateRoot   = SHA-256(0x02 | thetaRoot | mRoot | vRoot)
 *  source: docs/protocol.md, state tree and trace */
import { createHash } from 'node:crypto';
import type { Hex32, ModelShape } from './task.js';

export const chunkFloats = 1024;

export interface TensorSlot {
  /** nanoGPT's state_dict name */
  name: string;
  /** Linear weights are (out, in) */
  shape: number[];
  /** in floats, from the start of the arena */
  offset: number;
  length: number;
}

/** The tensors of a model in manifest order, packed without gaps.  twin: native/engine/model.cc */
export function modelTensors(model: ModelShape): TensorSlot[] {
  const { vocabSize: V, blockSize: T, layers, width: C } = model;
  const named: [string, number[]][] = [
    ['transformer.wte.weight', [V, C]],
    ['transformer.wpe.weight', [T, C]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `transformer.h.${layer}`;
    named.push(
      [`${prefix}.ln_1.weight`, [C]],
      [`${prefix}.attn.c_attn.weight`, [3 * C, C]],
      [`${prefix}.attn.c_proj.weight`, [C, C]],
      [`${prefix}.ln_2.weight`, [C]],
      [`${prefix}.mlp.c_fc.weight`, [4 * C, C]],
      [`${prefix}.mlp.c_proj.weight`, [C, 4 * C]],
    );
  }
  named.push(['transformer.ln_f.weight', [C]]);

  let offset = 0;
  return named.map(([name, shape]) => {
    const slot = { name, shape, offset, length: shape.reduce((product, size) => product * size, 1) };
    offset += slot.length;
    return slot;
  });
}

/** Number of fp32 values in theta; a parameter blob has four times as many bytes. */
export function parameterCount(model: ModelShape): number {
  const last = modelTensors(model).at(-1) as TensorSlot;
  return last.offset + last.length;
}

/** theta, m, v: the bytes of each arena, little-endian fp32, 4 * parameterCount long.
 *  throws RangeError when a length is wrong */
export function stateRoot(model: ModelShape, state: Record<'theta' | 'm' | 'v', Uint8Array>): Hex32 {
  const groups = [state.theta, state.m, state.v].map((arena) => groupRoot(model, arena));
  return `0x${sha256(Uint8Array.of(2), ...groups).toString('hex')}`;
}

function groupRoot(model: ModelShape, arena: Uint8Array): Uint8Array {
  const expected = 4 * parameterCount(model);
  if (arena.byteLength !== expected) {
    throw new RangeError(`an arena of this model has ${expected} bytes, received ${arena.byteLength}`);
  }
  const roots = modelTensors(model).map(({ offset, length }, index) =>
    tensorRoot(index, arena.subarray(4 * offset, 4 * (offset + length))),
  );
  return treeRoot(roots);
}

function tensorRoot(index: number, bytes: Uint8Array): Uint8Array {
  const chunkBytes = 4 * chunkFloats;
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.byteLength; start += chunkBytes) {
    const header = Buffer.alloc(9);
    header.writeUInt32LE(index, 1);
    header.writeUInt32LE(start / chunkBytes, 5);
    chunks.push(sha256(header, bytes.subarray(start, start + chunkBytes)));
  }
  return treeRoot(chunks);
}

function treeRoot(leaves: Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      above.push(sha256(Uint8Array.of(1), level[i] as Uint8Array, level[i + 1] as Uint8Array));
    }
    if (level.length % 2 === 1) above.push(level.at(-1) as Uint8Array);
    level = above;
  }
  return level[0] as Uint8Array;
}

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
