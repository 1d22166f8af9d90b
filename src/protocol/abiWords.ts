/** abi.encode of static values and keccak-256, for the hashes that contracts compute too. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hex32 } from './task.js';

/** keccak256(abi.encode(...values)): each one a number, an address or up to 32 bytes of hex, in a word of its own. */
export function keccakWords(...values: (string | number | bigint)[]): Hex32 {
  return keccak(Buffer.concat(values.map((value) => word(value))));
}

export function keccak(input: Uint8Array): Hex32 {
  return `0x${Buffer.from(keccak_256(input)).toString('hex')}`;
}

/** 32 bytes, zeros on the left. */
function word(value: string | number | bigint): Buffer {
  const digits = typeof value === 'string' ? value.slice(2) : value.toString(16);
  return Buffer.from(digits.padStart(64, '0'), 'hex');
}
