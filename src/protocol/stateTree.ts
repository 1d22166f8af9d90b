/** The state tree: one 32-byte root over theta, m and v.  twin: native/engine/state_tree.cc
 *
 *  chunk(t, j) = SHA-256(0x00 | u32le t | u32le j | up to 1024 fp32, little-endian)
 *  node(l, r)  = SHA-256(0x01 | l | r), an odd node goes up unchanged
 *  tensorRoot  = tree of the tensor's chunks;  groupRoot = tree of tensorRoots
 *  stateRoot   = SHA-256(0x02 | thetaRoot | mRoot | vRoot)
 *  source: docs/protocol.md, state tree and trace */
import { createHash } from 'node:crypto';
import { type Hex32, hex32, type ModelShape } from './task.js';

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
  const groups = [state.theta, state.m, state.v].map((arena) => groupLevels(model, arena));
  return hex32(sha256(Uint8Array.of(2), ...groups.map(rootOf)));
}

/** Of theta, m, v or a gradient.  throws RangeError when the length is wrong */
export function groupRoot(model: ModelShape, arena: Uint8Array): Hex32 {
  return hex32(rootOf(groupLevels(model, arena)));
}

/** Which chunk, and the shape of the tree it is in. */
export interface ChunkPlace {
  tensor: number;
  chunk: number;
  /** of the model */
  tensors: number;
  /** of this tensor */
  floats: number;
}

/** throws RangeError where the model has no such chunk */
export function chunkPlace(model: ModelShape, tensor: number, chunk: number): ChunkPlace {
  const slots = modelTensors(model);
  const slot = slots[tensor];
  if (slot === undefined || !(chunk >= 0 && chunk * chunkFloats < slot.length)) {
    throw new RangeError(`this model has ${slots.length} tensors, and no chunk ${chunk} of tensor ${tensor}`);
  }
  return { tensor, chunk, tensors: slots.length, floats: slot.length };
}

/** What `StateTree.verifyChunk` takes: the bytes of a chunk, and its siblings up to the tensor's root and from there up to the group's.
 *  throws RangeError where the model has no such chunk, or when the length of the arena is wrong */
export function chunkProof(
  model: ModelShape,
  arena: Uint8Array,
  { tensor, chunk }: Pick<ChunkPlace, 'tensor' | 'chunk'>,
): { data: Uint8Array; proof: Hex32[] } {
  chunkPlace(model, tensor, chunk);
  const group = groupLevels(model, arena);
  const bytes = tensorBytes(modelTensors(model)[tensor] as TensorSlot, arena);
  const siblings = [...proofIn(tensorLevels(tensor, bytes), chunk), ...proofIn(group, tensor)];
  return { data: chunkOf(bytes, chunk), proof: siblings.map(hex32) };
}

function groupLevels(model: ModelShape, arena: Uint8Array): Uint8Array[][] {
  const expected = 4 * parameterCount(model);
  if (arena.byteLength !== expected) {
    throw new RangeError(`an arena of this model has ${expected} bytes, received ${arena.byteLength}`);
  }
  return treeLevels(
    modelTensors(model).map((slot, index) => rootOf(tensorLevels(index, tensorBytes(slot, arena)))),
  );
}

function tensorBytes({ offset, length }: TensorSlot, arena: Uint8Array): Uint8Array {
  return arena.subarray(4 * offset, 4 * (offset + length));
}

function tensorLevels(index: number, bytes: Uint8Array): Uint8Array[][] {
  const chunks = Array.from({ length: Math.ceil(bytes.byteLength / (4 * chunkFloats)) }, (_, chunk) => {
    const header = Buffer.alloc(9);
    header.writeUInt32LE(index, 1);
    header.writeUInt32LE(chunk, 5);
    return sha256(header, chunkOf(bytes, chunk));
  });
  return treeLevels(chunks);
}

function chunkOf(bytes: Uint8Array, chunk: number): Uint8Array {
  return bytes.subarray(4 * chunkFloats * chunk, 4 * chunkFloats * (chunk + 1));
}

/** The leaves first, the root alone in the last. */
function treeLevels(leaves: Uint8Array[]): Uint8Array[][] {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      above.push(sha256(Uint8Array.of(1), level[i] as Uint8Array, level[i + 1] as Uint8Array));
    }
    if (level.length % 2 === 1) above.push(level.at(-1) as Uint8Array);
    level = above;
  }
  return levels;
}

function rootOf(levels: Uint8Array[][]): Uint8Array {
  return levels.at(-1)?.[0] as Uint8Array;
}

/** Siblings from the leaf up; an odd last node has none. */
function proofIn(levels: Uint8Array[][], index: number): Uint8Array[] {
  return levels.flatMap((level, height) => level[(index >> height) ^ 1] ?? []);
}

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
