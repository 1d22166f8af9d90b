/** A training state in a file: one step can be made again from the middle of a task, to the same bits. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Trainer, TrainerOptions } from '../../src/engine/trainer.js';
import { fp32Bits } from '../../src/protocol/spec.js';
import { modelTensors, stateRoot } from '../../src/protocol/stateTree.js';
import { batch, oddModel, options, scalars, seed, temporaryFolder, trainer } from '../helpers/engine.js';

const canon = options({ opset: 'canon-f32-v1' });

/** Every bit that a step shows. */
async function stepBits(made: Trainer, k: number): Promise<unknown[]> {
  const { loss, gradientNorm } = await made.innerStep(batch(k), scalars(k));
  return [fp32Bits(loss), fp32Bits(gradientNorm), await made.stateRoot(), await made.gradientRoot()];
}

async function trainedTo(k: number, of: TrainerOptions = canon): Promise<Trainer> {
  const made = await trainer(of);
  await made.initialise(seed);
  for (let step = 1; step <= k; step++) await made.innerStep(batch(step), scalars(step));
  return made;
}

describe.each(['canon-f32-v1', 'torch'] as const)('a state of opset %s in a file', (opset) => {
  it('has the root it was saved with, and its next steps have the bits of the run without a break', async () => {
    const path = join(temporaryFolder(), 'state');
    const of = options({ opset });
    const whole = await trainedTo(3, of);
    const saved = await whole.stateRoot();
    await whole.saveState(path);
    const expected = [await stepBits(whole, 4), await stepBits(whole, 5)];

    const resumed = await trainer(of);
    await resumed.loadState(path, 3);
    expect(await resumed.stateRoot()).toBe(saved);
    expect([await stepBits(resumed, 4), await stepBits(resumed, 5)]).toEqual(expected);
  });
});

describe('a state file', () => {
  it('is theta | m | v in little-endian fp32, named by the hash of its bytes, and nothing else is left in the folder', async () => {
    const folder = temporaryFolder();
    const made = await trainedTo(2);
    const file = await made.saveState(join(folder, 'state'));
    const bytes = new Uint8Array(await readFile(join(folder, 'state')));
    const part = (i: number) => bytes.subarray((i * bytes.length) / 3, ((i + 1) * bytes.length) / 3);

    expect(bytes.length).toBe(12 * made.parameterCount);
    expect(file).toEqual({
      sha256: `0x${createHash('sha256').update(bytes).digest('hex')}`,
      sizeBytes: bytes.length,
    });
    expect(stateRoot(oddModel, { theta: part(0), m: part(1), v: part(2) })).toBe(await made.stateRoot());
    expect(await readdir(folder)).toEqual(['state']);
  });

  it('replaces what the trainer held, gradients too, and parameters can be loaded after it', async () => {
    const folder = temporaryFolder();
    const other = await trainedTo(1);
    await other.saveState(join(folder, 'state'));
    const made = await trainedTo(3);
    await made.loadState(join(folder, 'state'), 1);
    expect(await made.gradientRoot()).toBe(`0x${'00'.repeat(32)}`);
    expect(await stepBits(made, 2)).toEqual(await stepBits(other, 2));

    await made.initialise(seed);
    expect(await stepBits(made, 1)).toEqual(await stepBits(await trainedTo(0), 1));
  });

  it('of another size, with NaN or Inf in any part, missing, or without its step is refused, until the next load', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'state');
    const made = await trainedTo(1);
    await made.saveState(path);
    const good = await readFile(path);
    const count = made.parameterCount;
    await writeFile(join(folder, 'short'), good.subarray(0, 4 * count));
    await expect(made.loadState(join(folder, 'short'), 1)).rejects.toMatchObject({
      code: 'engine.shape_mismatch',
      message: expect.stringContaining(`${12 * count} bytes for this model, received ${4 * count}`),
    });
    const tensor = modelTensors(oddModel)[5] as { name: string; offset: number };
    for (const [part, bits] of [
      [0, 0x7f800000],
      [1, 0xff800000],
      [2, 0x7fc00000],
    ] as const) {
      const bad = Buffer.from(good);
      bad.writeUInt32LE(bits, 4 * (part * count + tensor.offset));
      await writeFile(join(folder, 'bad'), bad);
      await expect(made.loadState(join(folder, 'bad'), 1)).rejects.toMatchObject({
        code: 'engine.invalid_state',
        message: expect.stringContaining(tensor.name),
      });
    }
    await expect(made.loadState(join(folder, 'none'), 1)).rejects.toMatchObject({ code: 'engine.io' });
    await expect(made.stateRoot()).rejects.toMatchObject({ code: 'engine.invalid_state' });
    await expect(made.saveState(join(folder, 'out'))).rejects.toMatchObject({ code: 'engine.invalid_state' });
    for (const step of [0, -1, 1.5]) {
      await expect(made.loadState(path, step)).rejects.toMatchObject({
        code: 'engine.value_out_of_range',
        message: `step must be an integer of at least 1, received ${step}`,
      });
    }
    await made.loadState(path, 1);
    await made.stateRoot();
    expect((await readdir(folder)).sort()).toEqual(['bad', 'short', 'state']);
  });
});
