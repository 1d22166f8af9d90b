/** The state tree of docs/protocol.md, written from that page alone. */
import { createHash } from 'node:crypto';
import type { Hex32 } from '../../../src/protocol/task.js';
import type { Tensors } from './model.js';
import type { State } from './step.js';

function sha256(...parts: Uint8Array[]): Uint8Array {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function u32le(integer: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(integer);
  return bytes;
}

/** fp32, little endian */
export function bytesOf(values: Float32Array): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, 4 * i);
  });
  return bytes;
}

function tree(nodes: Uint8Array[]): Uint8Array {
  const [first, ...others] = nodes;
  if (others.length === 0) return first as Uint8Array;
  const above: Uint8Array[] = [];
  for (let i = 0; i < nodes.length; i += 2) {
    const [left, right] = nodes.slice(i, i + 2);
    above.push(
      right === undefined ? (left as Uint8Array) : sha256(Uint8Array.of(1), left as Uint8Array, right),
    );
  }
  return tree(above);
}

function tensorRoot(tensor: Float32Array, t: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let j = 0; 1024 * j < tensor.length; j++) {
    const values = bytesOf(tensor.subarray(1024 * j, 1024 * (j + 1)));
    chunks.push(sha256(Uint8Array.of(0), u32le(t), u32le(j), values));
  }
  return tree(chunks);
}

const groupBytes = (tensors: Tensors) => tree(tensors.map(tensorRoot));

const hex = (bytes: Uint8Array): Hex32 => `0x${Buffer.from(bytes).toString('hex')}`;

export function groupRoot(tensors: Tensors): Hex32 {
  return hex(groupBytes(tensors));
}

export function stateRoot({ theta, m, v }: State): Hex32 {
  return hex(sha256(Uint8Array.of(2), groupBytes(theta), groupBytes(m), groupBytes(v)));
}
