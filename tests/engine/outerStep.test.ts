import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OuterStepResult, outerStep, parameterFileRoot } from '../../src/engine/trainer.js';
import { parameterCount, stateRoot } from '../../src/protocol/stateTree.js';
import {
  batch,
  oddModel,
  otherSeed,
  parameterFile,
  scalars,
  seed,
  smallestModel,
  temporaryFolder,
  trainer,
} from '../helpers/engine.js';

/** One rounding of an fp32 near 1 in each of a handful of operations. */
const roundings = 4 * 2 ** -24;

interface Round {
  base: string;
  momentum: string | null;
  results: string[];
  learningRate?: number;
  outerMomentum?: number;
}

/** Runs a round and returns what it wrote, as paths. */
async function round(folder: string, name: string, given: Round, model = smallestModel) {
  const outParameters = join(folder, `${name}.theta`);
  const outMomentum = join(folder, `${name}.m`);
  const settings = { model, learningRate: 0.7, outerMomentum: 0.9, outParameters, outMomentum };
  const result: OuterStepResult = await outerStep({ ...settings, ...given });
  return { theta: outParameters, momentum: outMomentum, result };
}

async function floats(path: string): Promise<Float32Array> {
  return new Float32Array(new Uint8Array(await readFile(path)).buffer);
}

function expectClose(received: Float32Array, expected: number[], tolerance = roundings) {
  for (const [i, value] of expected.entries()) {
    expect(Math.abs((received[i] as number) - value)).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(value)),
    );
  }
}

describe('the outer step', () => {
  it('reproduces fixture F1: two Nesterov rounds with 0.7 and 0.9', async () => {
    const folder = temporaryFolder();
    const file = (name: string, values: number[]) => parameterFile(smallestModel, join(folder, name), values);
    const first = await round(folder, 'r1', {
      base: await file('base', [1, -2]),
      momentum: null,
      results: [await file('a', [0.9, -1.9]), await file('b', [0.7, -2.1])],
    });
    expectClose(await floats(first.theta), [0.734, -2.0]);
    expectClose(await floats(first.momentum), [0.2, 0]);
    const second = await round(folder, 'r2', {
      base: first.theta,
      momentum: first.momentum,
      results: [await file('c', [0.4, -1.9]), await file('d', [0.6, -1.8])],
    });
    expectClose(await floats(second.theta), [0.30938, -1.8005]);
    expectClose(await floats(second.momentum), [0.414, -0.15]);
  });

  it('is the plain average of the results with learning rate 1 and no momentum', async () => {
    const folder = temporaryFolder();
    const results = [
      [1.25, -3, 0.1],
      [2.5, 5, 0.2],
      [-0.75, 1, 0.4],
    ];
    const paths = results.map((values, i) => parameterFile(smallestModel, join(folder, `r${i}`), values));
    const base = await parameterFile(smallestModel, join(folder, 'base'), [0.5, 0.25, -1]);
    const plain = { learningRate: 1, outerMomentum: 0 };
    const { theta } = await round(folder, 'out', {
      base,
      momentum: null,
      results: await Promise.all(paths),
      ...plain,
    });
    expectClose(await floats(theta), [1, 1, 0.7 / 3], 8 * 2 ** -24);
  });

  it.each([1, 3])('is plain AdamW for one worker with learning rate 1 and no momentum, H = %i', async (H) => {
    const folder = temporaryFolder();
    const worker = await trainer();
    await worker.initialise(seed);
    const base = join(folder, 'base');
    const result = join(folder, 'result');
    await worker.saveParameters(base);
    for (let k = 1; k <= H; k++) await worker.innerStep(batch(k), scalars(k));
    await worker.saveParameters(result);
    const plain = { learningRate: 1, outerMomentum: 0 };
    const { theta } = await round(
      folder,
      'out',
      { base, momentum: null, results: [result], ...plain },
      oddModel,
    );
    expectClose(await floats(theta), [...(await floats(result))], 2 ** -24);
  });

  it('sums in slot order: the same order gives the same bytes, another order may round otherwise', async () => {
    const folder = temporaryFolder();
    const base = await parameterFile(smallestModel, join(folder, 'base'), [0, 0]);
    const huge = await parameterFile(smallestModel, join(folder, 'huge'), [-(2 ** 24), 0.5]);
    const one = await parameterFile(smallestModel, join(folder, 'one'), [-1, 0.25]);
    const back = await parameterFile(smallestModel, join(folder, 'back'), [2 ** 24, 0.125]);
    const of = (name: string, results: string[]) => round(folder, name, { base, momentum: null, results });
    const ordered = await of('ordered', [huge, one, back]);
    expect((await of('again', [huge, one, back])).result).toEqual(ordered.result);
    const permuted = await of('permuted', [huge, back, one]);
    // (2^24 + 1) - 2^24 is 0 in fp32, (2^24 - 2^24) + 1 is 1: hence slots have an order.
    expect((await floats(ordered.momentum))[0]).toBe(0);
    expect((await floats(permuted.momentum))[0]).toBe(Math.fround(1 / 3));
    expect((await floats(permuted.theta))[1]).toBe((await floats(ordered.theta))[1]);
  });

  it('resumes from its files to the bit: two rounds at once or with a new trainer in between', async () => {
    const folder = temporaryFolder();
    const start = await trainer();
    await start.initialise(seed);
    const base = join(folder, 'base');
    await start.saveParameters(base);

    const solve = async (
      worker: Awaited<ReturnType<typeof trainer>>,
      from: string,
      slot: number,
      name: string,
    ) => {
      await worker.loadParameters(from);
      for (let k = 1; k <= 2; k++) await worker.innerStep(batch(10 * slot + k), scalars(k));
      await worker.saveParameters(join(folder, name));
      return join(folder, name);
    };
    const run = async (name: string, workerOf: () => Promise<Awaited<ReturnType<typeof trainer>>>) => {
      let given: Round = { base, momentum: null, results: [] };
      let last: OuterStepResult | undefined;
      for (let r = 0; r < 2; r++) {
        const results: string[] = [];
        for (let slot = 0; slot < 2; slot++) {
          results.push(await solve(await workerOf(), given.base, 2 * r + slot, `${name}-${r}-${slot}`));
        }
        const { theta, momentum, result } = await round(
          folder,
          `${name}-${r}`,
          { ...given, results },
          oddModel,
        );
        given = { base: theta, momentum, results: [] };
        last = result;
      }
      return last;
    };
    const uninterrupted = await run('whole', async () => start);
    expect(await run('resumed', () => trainer())).toEqual(uninterrupted);
  });

  it('names its result by the roots of what it wrote', async () => {
    const folder = temporaryFolder();
    const worker = await trainer();
    const files: string[] = [];
    for (const [i, from] of [seed, otherSeed].entries()) {
      await worker.initialise(from);
      files.push(join(folder, `f${i}`));
      await worker.saveParameters(files[i] as string);
    }
    const [base, result] = files as [string, string];
    const out = await round(folder, 'out', { base, momentum: null, results: [result] }, oddModel);
    const zeros = new Uint8Array(4 * parameterCount(oddModel));
    const theta = new Uint8Array(await readFile(out.theta));
    expect(out.result.stateRoot).toBe(stateRoot(oddModel, { theta, m: zeros, v: zeros }));
    expect(await parameterFileRoot(oddModel, out.theta)).toEqual({
      stateRoot: out.result.stateRoot,
      file: out.result.parameters,
    });
  });

  it('refuses no results, a missing file, a short file and NaN, and leaves nothing half-written', async () => {
    const folder = temporaryFolder();
    const base = await parameterFile(smallestModel, join(folder, 'base'), [1]);
    const bad = await parameterFile(smallestModel, join(folder, 'nan'), [Number.NaN]);
    const short = await parameterFile({ ...smallestModel, vocabSize: 2 }, join(folder, 'long'), [1]);
    const attempt = (results: string[]) => round(folder, 'out', { base, momentum: null, results });
    await expect(attempt([])).rejects.toMatchObject({ code: 'engine.value_out_of_range' });
    await expect(attempt([join(folder, 'none')])).rejects.toMatchObject({ code: 'engine.io' });
    await expect(attempt([short])).rejects.toMatchObject({ code: 'engine.shape_mismatch' });
    await expect(attempt([bad])).rejects.toMatchObject({ code: 'engine.invalid_state' });
    await expect(floats(join(folder, 'out.theta'))).rejects.toThrow('ENOENT');
  });
});
