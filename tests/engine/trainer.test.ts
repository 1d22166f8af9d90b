import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { createTrainer } from '../../src/engine/trainer.js';
import { fp32Bits } from '../../src/protocol/spec.js';
import { modelTensors, parameterCount, stateRoot } from '../../src/protocol/stateTree.js';
import {
  batch,
  oddModel,
  options,
  otherSeed,
  parameterFile,
  scalars,
  seed,
  temporaryFolder,
  trainer,
} from '../helpers/engine.js';

/** Large enough that one step takes tenths of a second. */
const slow = options({
  model: { vocabSize: 512, blockSize: 128, layers: 4, heads: 4, width: 256 },
  batch: { rows: 16, tokens: 128 },
});

describe('initialisation', () => {
  it('is a function of the seed alone', async () => {
    const [a, b] = [await trainer(), await trainer()];
    await a.initialise(seed);
    await b.initialise(otherSeed);
    expect(await b.stateRoot()).not.toBe(await a.stateRoot());
    await b.initialise(seed);
    expect(await b.stateRoot()).toBe(await a.stateRoot());
  });

  it('is GPT-2: normal(0, 0.02), residual projections 0.02 / sqrt(2L), gains 1', async () => {
    const model = { vocabSize: 512, blockSize: 64, layers: 2, heads: 4, width: 128 };
    const made = await trainer({ model });
    await made.initialise(seed);
    const path = join(temporaryFolder(), 'theta');
    await made.saveParameters(path);
    const theta = new Float32Array(new Uint8Array(await readFile(path)).buffer);
    for (const { name, shape, offset, length } of modelTensors(model)) {
      const values = theta.subarray(offset, offset + length);
      if (shape.length === 1) {
        expect(values.every((value) => value === 1)).toBe(true);
        continue;
      }
      const deviation = name.endsWith('c_proj.weight') ? 0.01 : 0.02;
      const mean = values.reduce((sum, value) => sum + value, 0) / length;
      const moment = (power: number) => values.reduce((sum, x) => sum + (x / deviation) ** power, 0) / length;
      // five standard errors of the mean, the variance and the kurtosis of a normal sample
      expect(Math.abs(mean / deviation)).toBeLessThan(5 / Math.sqrt(length));
      expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / length));
      expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / length));
    }
  });
});

describe('training', () => {
  it('lowers the loss on a repeated batch', async () => {
    const made = await trainer();
    await made.initialise(seed);
    const first = await made.evaluate(batch());
    expect(first).toBeCloseTo(Math.log(oddModel.vocabSize), 1);
    for (let k = 1; k <= 60; k++) await made.innerStep(batch(), scalars(k));
    expect(await made.evaluate(batch())).toBeLessThan(first / 2);
  });

  it('in bf16 follows fp32, with other bits', async () => {
    const losses = async (precision: 'fp32' | 'bf16') => {
      const made = await trainer({ precision });
      await made.initialise(seed);
      for (let k = 1; k <= 60; k++) await made.innerStep(batch(), scalars(k));
      return made.evaluate(batch());
    };
    const [fp32, bf16] = [await losses('fp32'), await losses('bf16')];
    expect(bf16).not.toBe(fp32);
    expect(Math.abs(bf16 / fp32 - 1)).toBeLessThan(0.05);
  });

  it('gives the same bits twice: every state, loss and norm', async () => {
    const history = async () => {
      const made = await trainer();
      await made.initialise(seed);
      const steps: unknown[] = [];
      for (let k = 1; k <= 5; k++) {
        const { loss, gradientNorm } = await made.innerStep(batch(k), scalars(k));
        steps.push([fp32Bits(loss), fp32Bits(gradientNorm), await made.stateRoot()]);
      }
      return steps;
    };
    const once = await history();
    expect(await history()).toEqual(once);
    expect(new Set(once.map((step) => (step as unknown[])[2])).size).toBe(5);
  });

  it('depends on batch, scalars and constants', async () => {
    const root = async (salt: number, k: number, clipNorm: number) => {
      const made = await trainer({ inner: { ...options().inner, clipNorm: fp32Bits(clipNorm) } });
      await made.initialise(seed);
      await made.innerStep(batch(salt), scalars(k));
      return made.stateRoot();
    };
    const roots = [await root(1, 1, 1), await root(2, 1, 1), await root(1, 2, 1), await root(1, 1, 0.01)];
    expect(new Set(roots).size).toBe(4);
  });

  it('evaluates without touching the state', async () => {
    const made = await trainer();
    await made.initialise(seed);
    const before = await made.stateRoot();
    const loss = await made.evaluate(batch());
    expect(await made.stateRoot()).toBe(before);
    expect((await made.innerStep(batch(), scalars(1))).loss).toBe(loss);
  });

  it('needs one number of threads per process, and says so', async () => {
    await trainer({ threads: 1 });
    await expect(createTrainer(options({ threads: 2 }))).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
      message: expect.stringContaining('1 is in use, received 2'),
    });
  });

  it('runs with two threads, and twice to the same bits', async () => {
    const root = async () => {
      const made = await createTrainer(options({ threads: 2 }));
      await made.initialise(seed);
      await made.innerStep(batch(), scalars(1));
      const answer = await made.stateRoot();
      await made.dispose();
      return answer;
    };
    // Whether it equals one thread's root is not promised: the gains' gradients sum rows in chunks, one per thread.
    expect(await root()).toBe(await root());
  });
});

describe('files and roots', () => {
  it('saves and loads theta to the bit, with the hash of the bytes and m = v = 0', async () => {
    const folder = temporaryFolder();
    const made = await trainer();
    await made.initialise(seed);
    for (let k = 1; k <= 2; k++) await made.innerStep(batch(k), scalars(k));
    const path = join(folder, 'theta');
    const file = await made.saveParameters(path);
    const theta = new Uint8Array(await readFile(path));
    expect(file.sizeBytes).toBe(4 * made.parameterCount);
    expect(file.sha256).toBe(`0x${createHash('sha256').update(theta).digest('hex')}`);
    expect(await readdir(folder)).toEqual(['theta']);

    const zeros = new Uint8Array(theta.byteLength);
    await made.loadParameters(path);
    expect(await made.stateRoot()).toBe(stateRoot(oddModel, { theta, m: zeros, v: zeros }));
  });

  it('writes a whole file where two trainers save to one path at once', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'theta');
    const pair = [await trainer(slow), await trainer(slow)];
    await Promise.all(pair.map((each, i) => each.initialise(i === 0 ? seed : otherSeed)));
    for (let round = 0; round < 5; round++) {
      const files = await Promise.all(pair.map((each) => each.saveParameters(path)));
      const digest = `0x${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`;
      expect(files.map(({ sha256 }) => sha256)).toContain(digest);
      expect(await readdir(folder)).toEqual(['theta']);
    }
  });

  it('lays tensors out as protocol/stateTree.ts does', async () => {
    const addon = await loadAddon();
    expect(addon.parameterLayout(oddModel)).toEqual(modelTensors(oddModel));
    expect((await trainer()).parameterCount).toBe(parameterCount(oddModel));
  });

  it('refuses a missing file, a wrong size and NaN, and is unusable until the next load', async () => {
    const folder = temporaryFolder();
    const made = await trainer();
    const good = await parameterFile(oddModel, join(folder, 'good'), [1, 2, 3]);
    await made.loadParameters(good);
    await expect(made.loadParameters(join(folder, 'none'))).rejects.toMatchObject({ code: 'engine.io' });
    await writeFile(join(folder, 'short'), new Uint8Array(12));
    await expect(made.loadParameters(join(folder, 'short'))).rejects.toMatchObject({
      code: 'engine.shape_mismatch',
      message: expect.stringContaining(`${4 * made.parameterCount} bytes for this model, received 12`),
    });
    const { offset, name } = modelTensors(oddModel)[5] as { offset: number; name: string };
    const values = new Float32Array(made.parameterCount);
    values[offset] = Number.POSITIVE_INFINITY;
    const infinite = await parameterFile(oddModel, join(folder, 'infinite'), values);
    await expect(made.loadParameters(infinite)).rejects.toMatchObject({
      code: 'engine.invalid_state',
      message: expect.stringContaining(name),
    });
    await expect(made.stateRoot()).rejects.toMatchObject({ code: 'engine.invalid_state' });
    await expect(made.saveParameters(join(folder, 'out'))).rejects.toMatchObject({
      code: 'engine.invalid_state',
    });
    await made.loadParameters(good);
    await made.stateRoot();
    expect((await readdir(folder)).sort()).toEqual(['good', 'infinite', 'short']);
  });

  it('does not wait for the other end of a pipe, and says that it wants a file', async () => {
    const made = await trainer();
    const pipe = join(temporaryFolder(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(made.loadParameters(pipe)).rejects.toMatchObject({
      code: 'engine.shape_mismatch',
      message: `${pipe} must be a file of ${4 * made.parameterCount} bytes for this model, received a folder, a pipe or a device`,
    });
  });

  it('leaves nothing behind when it can not write', async () => {
    const made = await trainer();
    await made.initialise(seed);
    const path = join(temporaryFolder(), 'no-such-folder', 'theta');
    await expect(made.saveParameters(path)).rejects.toMatchObject({
      code: 'engine.io',
      message: expect.stringContaining('No such file or directory'),
    });
  });

  it('calls a state with NaN invalid, naming step and tensor', async () => {
    const made = await trainer();
    await made.initialise(seed);
    await made.innerStep(batch(), scalars(1));
    const overflow = { ...scalars(2), stepSize: fp32Bits(3e38), secondMomentScale: fp32Bits(1e-30) };
    await expect(made.innerStep(batch(), overflow)).rejects.toMatchObject({
      code: 'engine.invalid_state',
      message: expect.stringMatching(/after inner step 2, first in AdamW of tensor transformer\./),
    });
    await expect(made.stateRoot()).rejects.toMatchObject({ code: 'engine.invalid_state' });
    await made.initialise(seed);
    await made.stateRoot();
  });
});

describe('calls', () => {
  it('leave the event loop free while a step runs', async () => {
    const made = await trainer(slow);
    await made.initialise(seed);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await made.innerStep(batch(0, slow), scalars(1));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });

  it('are aborted between operators, leave the state as it was, and can be made again', async () => {
    const made = await trainer(slow);
    await made.initialise(seed);
    const before = await made.stateRoot();
    const controller = new AbortController();
    const running = made.innerStep(batch(0, slow), scalars(1), controller.signal);
    setImmediate(() => controller.abort());
    await expect(running).rejects.toMatchObject({ code: 'engine.aborted' });
    await expect(made.evaluate(batch(0, slow), controller.signal)).rejects.toMatchObject({
      code: 'engine.aborted',
    });
    expect(await made.stateRoot()).toBe(before);
    await made.innerStep(batch(0, slow), scalars(1));
    expect(await made.stateRoot()).not.toBe(before);
  });

  it('are refused while another is in flight', async () => {
    const made = await trainer();
    await made.initialise(seed);
    const running = made.innerStep(batch(), scalars(1));
    await expect(made.stateRoot()).rejects.toMatchObject({ code: 'engine.busy' });
    await expect(running).resolves.toMatchObject({ loss: expect.any(Number) });
  });

  it('are refused before there are parameters', async () => {
    const made = await trainer();
    await expect(made.innerStep(batch(), scalars(1))).rejects.toMatchObject({ code: 'engine.invalid_state' });
  });

  it('may reuse their arrays at once', async () => {
    const made = await trainer();
    await made.initialise(seed);
    const expected = await made.evaluate(batch());
    const reused = batch();
    const running = made.evaluate(reused);
    reused.inputs.fill(0);
    expect(await running).toBe(expected);
  });

  it('refuse batches of another shape and tokens outside the vocabulary', async () => {
    const made = await trainer();
    await made.initialise(seed);
    const { inputs, targets } = batch();
    await expect(made.evaluate({ inputs: inputs.subarray(1), targets })).rejects.toMatchObject({
      code: 'engine.shape_mismatch',
      message: 'inputs must hold rows * tokens = 51 tokens, received 50',
    });
    for (const token of [oddModel.vocabSize, -1]) {
      const bad = Int32Array.from(targets);
      bad[7] = token;
      await expect(made.evaluate({ inputs, targets: bad })).rejects.toMatchObject({
        code: 'engine.value_out_of_range',
        message: `targets[7] must be a token in [0, 67), received ${token}`,
      });
    }
    const floats = new Float32Array(51) as unknown as Int32Array;
    await expect(made.evaluate({ inputs: floats, targets })).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
    });
    await expect(made.innerStep(batch(), { ...scalars(1), decay: 0.5 })).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
    });
    await expect(made.initialise('0x00')).rejects.toMatchObject({ code: 'engine.value_out_of_range' });
  });

  it.each([
    ['width must be a multiple of heads', { model: { ...oddModel, heads: 2 } }],
    ['layers must be between 1 and', { model: { ...oddModel, layers: 0 } }],
    ['tokens (blockSize)', { batch: { rows: 1, tokens: 20 } }],
    ['a batch must have 1 to 65536 rows', { batch: { rows: 65_537, tokens: 1 } }],
    ['vocabSize must be between 1 and 65536', { model: { ...oddModel, vocabSize: 65_537 } }],
    ['blockSize must be between 1 and 65536', { model: { ...oddModel, blockSize: 65_537 } }],
    ['width must be between 1 and 65536', { model: { ...oddModel, width: 65_538 } }],
    ['layers must be between 1 and 1024', { model: { ...oddModel, layers: 1025 } }],
    ['heads must be between 1 and 1024', { model: { ...oddModel, heads: 1025, width: 1025 } }],
    ['microBatches must be between 1 and 65536', { microBatches: 65_537 }],
    ['epsilon must be the bits of a finite fp32', { inner: { ...options().inner, epsilon: 0x7f800000 } }],
    ['clipNorm must be the bits of a finite fp32', { inner: { ...options().inner, clipNorm: 0x7fc00000 } }],
    ['rows must be an integer', { batch: { rows: 1.5, tokens: 2 } }],
    ['threads must be between', { threads: 0 }],
  ])('refuse to begin: %s', async (message, overrides) => {
    await expect(createTrainer(options(overrides))).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
      message: expect.stringContaining(message),
    });
  });

  it('refuse a shape whose activations can not be counted in 63 bits', async () => {
    // 2^62 floats: in 64 bits their bytes wrap around to none
    const model = { vocabSize: 10_732, blockSize: 65_536, layers: 1024, heads: 1, width: 65_491 };
    const tooMuch = options({ model, batch: { rows: 65_536, tokens: 65_536 } });
    await expect(createTrainer(tooMuch)).rejects.toMatchObject({
      code: 'engine.out_of_memory',
      message: expect.stringContaining('2^58'),
    });
  });

  it('refuse a batch beyond the memory of the machine, with what it needs and what there is, and go on', async () => {
    const model = { vocabSize: 50_257, blockSize: 1024, layers: 12, heads: 12, width: 768 };
    const tooMuch = options({ model, batch: { rows: 60_000, tokens: 1024 } });
    await expect(createTrainer(tooMuch)).rejects.toMatchObject({
      code: 'engine.out_of_memory',
      message: expect.stringMatching(
        /^\d{14,} bytes of memory are needed beside the \d+ that the engine holds, and \d+ are available$/,
      ),
    });
    await (await trainer()).initialise(seed);
  });

  it('end with dispose: twice is harmless, a step in flight is aborted, later calls are refused', async () => {
    const made = await createTrainer(slow);
    await made.initialise(seed);
    const running = made.innerStep(batch(0, slow), scalars(1));
    const ending = made.dispose();
    await expect(running).rejects.toMatchObject({ code: 'engine.aborted' });
    await ending;
    await made.dispose();
    await expect(made.stateRoot()).rejects.toMatchObject({ code: 'engine.disposed' });
  });

  it('bring no tensor into JavaScript: the surface is what addon.d.ts lists', async () => {
    const addon = await loadAddon();
    expect(Object.keys(addon).sort()).toEqual([
      'NativeTrainer',
      'applyOuterStep',
      'buildInfo',
      'cudaDeviceName',
      'cudaProblem',
      'parameterLayout',
      'stateRootOfFile',
    ]);
    expect(Object.getOwnPropertyNames(addon.NativeTrainer.prototype).sort()).toEqual([
      'abort',
      'constructor',
      'dispose',
      'evaluate',
      'gradientRoot',
      'initialise',
      'innerStep',
      'loadParameters',
      'loadState',
      'parameterCount',
      'saveParameters',
      'saveState',
      'stateRoot',
    ]);
  });
});
