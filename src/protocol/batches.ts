/** Which tokens a step trains on: a keyed permutation of the windows, computable at any point without the others.
 *  source: docs/protocol.md, batches; Feistel network with cycle walking (Black & Rogaway 2002, "Ciphers with arbitrary
 *  finite domains"). Integers only: the same numbers in every language. */
import { hash } from 'node:crypto';
import { PanthaliaError } from '../errors.js';
import type { TaskSpec } from './task.js';

const domain = Buffer.from('panthalia.batch.v1', 'ascii');
const feistelRounds = 8;
/** Keeps L * m + R exact and the halves within 20 bits. */
const maxWindows = 2 ** 40;

/** Bijection of [0, windowCount) for each (seed, epoch).  seed: 32 bytes */
export function permute(seed: Uint8Array, epoch: number, windowCount: number, index: number): number {
  const prf = keyedPrf(seed, epoch);
  const halfSize = 2 ** halfBits(windowCount);
  let value = index;
  do {
    let left = Math.floor(value / halfSize);
    let right = value % halfSize;
    for (let r = 0; r < feistelRounds; r++) {
      const mixed = (left ^ (prf(r, right) % halfSize)) >>> 0;
      left = right;
      right = mixed;
    }
    value = left * halfSize + right;
  } while (value >= windowCount);
  return value;
}

/** prf(r, x) = u32be of the first 4 bytes of sha256(domain | seed | u64be epoch | u8 r | u32be x). */
function keyedPrf(seed: Uint8Array, epoch: number): (r: number, x: number) => number {
  const message = Buffer.concat([domain, seed, Buffer.alloc(13)]);
  const tail = message.length - 13;
  message.writeBigUInt64BE(BigInt(epoch), tail);
  return (r, x) => {
    message.writeUInt8(r, tail + 8);
    message.writeUInt32BE(x, tail + 9);
    return hash('sha256', message, 'buffer').readUInt32BE(0);
  };
}

/** Smallest k >= 1 with 4^k >= windowCount. */
function halfBits(windowCount: number): number {
  let k = 1;
  while (4 ** k < windowCount) k++;
  return k;
}

/** Window of sample g: every window once per epoch of `windowCount` samples. */
export function sampleWindow(seed: Uint8Array, windowCount: number, sample: number): number {
  return permute(seed, Math.floor(sample / windowCount), windowCount, sample % windowCount);
}

/** Windows of the rows of one inner step, in row order.
 *  step: 0 .. innerSteps - 1, the batch consumed to reach state step + 1
 *  sample g = (round * slotsPerRound + slot) * H * B + step * B + row: no window is shared by two slots of an epoch
 *  throws check/batch.out_of_range */
export function batchWindows(
  spec: Pick<TaskSpec, 'seed' | 'round' | 'slotsPerRound' | 'innerSteps' | 'batch'>,
  at: { slot: number; step: number; windowCount: number },
): number[] {
  checkRange('slot', at.slot, 0, spec.slotsPerRound - 1);
  checkRange('step', at.step, 0, spec.innerSteps - 1);
  checkRange('window count', at.windowCount, 1, maxWindows);
  const { rows } = spec.batch;
  const first = ((spec.round * spec.slotsPerRound + at.slot) * spec.innerSteps + at.step) * rows;
  checkRange('first sample', first, 0, Number.MAX_SAFE_INTEGER - rows);
  const seed = Buffer.from(spec.seed.slice(2), 'hex');
  checkRange('seed length', seed.length, 32, 32);
  return Array.from({ length: rows }, (_, row) => sampleWindow(seed, at.windowCount, first + row));
}

function checkRange(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new PanthaliaError('check', `The ${what} of a batch is ${least} to ${most}; it is ${value}.`, {
    code: 'batch.out_of_range',
    details: { what, value, least, most },
  });
}
