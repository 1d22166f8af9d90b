/** `device: 'cuda'` of the addon: the way to a driver and to the object with the CUDA code. Both are emulated here
 *  (native/test/cuda_emulation) and stand where the real ones would; the addon is the real one. */
import { execFile, spawnSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureAddon } from '../../src/engine/buildAddon.js';
import { conformanceBatch, conformanceCases } from '../../src/engine/conformance.js';
import { engineError } from '../../src/engine/engineError.js';
import { projectRoot } from '../../src/engine/loadAddon.js';
import { options, seed, temporaryFolder, trainer } from '../helpers/engine.js';
import { buildPrograms, cmakeFolder } from '../helpers/nativeProgram.js';

let folder: string;
const addon = () => join(folder, 'panthalia-0.node');
const cudaObject = () => join(folder, 'panthalia-0_cuda.so');

beforeAll(async () => {
  await buildPrograms('panthalia_cuda_emulated_object', 'panthalia_cuda_emulated_driver');
  folder = await mkdtemp(join(tmpdir(), 'panthalia-cuda-'));
  await copyFile((await ensureAddon({ log: () => {} })).path, addon());
  await copyFile(join(cmakeFolder, 'Release/panthalia_cuda_emulated_object.so'), cudaObject());
  await copyFile(
    join(cmakeFolder, 'Release/panthalia_cuda_emulated_driver.so'),
    join(folder, 'libcuda.so.1'),
  );
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs body in a process that finds the driver: `native` is the addon, `options` those of its trainers. What it returns comes back. */
async function withDriver<Answer>(body: string, env: Record<string, string> = {}): Promise<Answer> {
  const { model, batch, microBatches, inner } = { ...options(), ...conformanceCases[0] };
  const made = { opset: 'canon-f32-v1', device: 'cuda', threads: 1, model, microBatches, inner, ...batch };
  const tokens = conformanceBatch(seed, 0, 0);
  const program = `
    const native = require(process.argv[1]);
    const options = ${JSON.stringify(made)};
    const seed = Buffer.from('${seed.slice(2)}', 'hex');
    const inputs = Int32Array.from(${JSON.stringify([...tokens.inputs])});
    const targets = Int32Array.from(${JSON.stringify([...tokens.targets])});
    const thrown = (action) => { try { action(); return 'nothing'; } catch (e) { return e.code + ' ' + e.message; } };
    (async () => { ${body} })().then((answer) => console.log(JSON.stringify(answer)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program, addon()], {
    env: { ...process.env, LD_LIBRARY_PATH: folder, ...env },
  });
  return JSON.parse(stdout) as Answer;
}

/** The project with a build of its own, in which the CUDA code is the emulated device's. */
async function withEmulatedDevice(): Promise<string> {
  const copy = temporaryFolder();
  const copied = ['dist', 'scripts', 'bench'];
  const own = [...copied, 'build', '.git'];
  for (const name of (await readdir(projectRoot)).filter((each) => !own.includes(each))) {
    await symlink(join(projectRoot, name), join(copy, name));
  }
  for (const name of copied) {
    await cp(join(projectRoot, name), join(copy, name), { recursive: true });
  }
  await mkdir(join(copy, 'build'));
  await symlink(join(projectRoot, 'build/data'), join(copy, 'build/data'));
  await copyFile(join(projectRoot, 'build/engine.json'), join(copy, 'build/engine.json'));
  const { path } = await ensureAddon({ log: () => {} });
  const inCopy = join(copy, 'build', basename(path));
  await copyFile(path, inCopy);
  await copyFile(
    join(cmakeFolder, 'Release/panthalia_cuda_emulated_object.so'),
    inCopy.replace(/\.node$/, '_cuda.so'),
  );
  return copy;
}

describe('device cuda', () => {
  it('trains to the states of the CPU, with its parameters and states saved and loaded on the way', async () => {
    const histories = await withDriver<Record<'cpu' | 'cuda', string[]>>(`
      const history = async (device) => {
        const made = new native.NativeTrainer({ ...options, device });
        await made.initialise(seed);
        const path = process.argv[1] + '.' + device;
        const roots = [(await made.saveParameters(path)).sha256];
        await made.loadParameters(path);
        for (let k = 1; k <= 3; k++) {
          const { loss, gradientNorm } = await made.innerStep(inputs, targets, { stepSize: 0x3c23d70a, secondMomentScale: 0x40490fdb, decay: 0x3f7fbe77 });
          const root = Buffer.from(await made.stateRoot()).toString('hex') + Buffer.from(await made.gradientRoot()).toString('hex');
          roots.push([loss, gradientNorm, root].join(' '));
          roots.push((await made.saveState(path)).sha256);
          await made.loadState(path, k);
        }
        await made.dispose();
        return roots;
      };
      return { cpu: await history('cpu'), cuda: await history('cuda') };`);
    expect(new Set(histories.cpu).size).toBe(7);
    expect(histories.cuda).toEqual(histories.cpu);
  }, 60_000);

  it('reports what is thrown in the other object as its own, and the process goes on', async () => {
    const [name, tooMuch, wrongIsa, fine] = await withDriver<string[]>(`
      const make = (overrides) => () => new native.NativeTrainer({ ...options, ...overrides });
      return [native.cudaDeviceName(), thrown(make({ rows: 60000 })), thrown(make({ isa: 'avx2' })), thrown(make({}))];`);
    expect(name).toBe('emulated');
    expect(tooMuch).toMatch(
      /^OUT_OF_MEMORY could not allocate \d+ bytes on emulated, which has \d+ of 1073741824 bytes free$/,
    );
    expect(wrongIsa).toBe('VALUE_OUT_OF_RANGE isa is a choice of device cpu, received avx2 for cuda');
    expect(fine).toBe('nothing');
  });

  it('that is lost in a step ends that trainer with what CUDA said, and the process goes on', async () => {
    const program = `
      const made = new native.NativeTrainer(options);
      const failure = (promise) => promise.then(() => 'nothing', ({ code, message }) => code + ' ' + message);
      const step = (trainer) => trainer.innerStep(inputs, targets, { stepSize: 0x3c23d70a, secondMomentScale: 0x40490fdb, decay: 0x3f7fbe77 });
      await made.initialise(seed);
      const lost = [await failure(step(made)), await failure(step(made))];
      await made.dispose();
      const other = new native.NativeTrainer({ ...options, device: 'cpu' });
      await other.initialise(seed);
      return [...lost, await failure(step(other))];`;
    const answers = await withDriver<string[]>(program, { EMULATED_LAUNCHES: '20' });
    const sentence =
      "could not start a kernel: CUDA's answer must be cudaSuccess, received cudaErrorLaunchFailure, emulated failure";
    expect(answers[0]).toBe(`DEVICE_LOST ${sentence}`);
    expect(answers[1]).toMatch(
      /^DEVICE_LOST could not .*: CUDA's answer must be cudaSuccess, received cudaErrorLaunchFailure/,
    );
    expect(answers[2]).toBe('nothing');
    expect(engineError({ code: 'DEVICE_LOST', message: sentence })).toMatchObject({
      family: 'error',
      code: 'engine.device_lost',
      message: sentence,
    });
  });

  const make = 'return [native.cudaProblem(), thrown(() => new native.NativeTrainer(options))];';

  it('is refused in one sentence where there is a driver and no device', async () => {
    const sentence = 'device cuda needs 1 or more CUDA devices, and the driver shows 0 (cuInit returned 0)';
    expect(await withDriver(make, { EMULATED_DEVICES: '0' })).toEqual([sentence, `NO_CUDA ${sentence}`]);
  });

  it('is refused in one sentence where there is no driver', async () => {
    const empty = temporaryFolder();
    const [problem, thrown] = await withDriver<[string, string]>(make, { LD_LIBRARY_PATH: empty });
    expect(problem).toMatch(/^device cuda needs NVIDIA's driver, and it does not load: .*libcuda\.so\.1/);
    expect(thrown).toBe(`NO_CUDA ${problem}`);
  });

  it('is refused with the command that builds its code where that is missing', async () => {
    await rm(cudaObject());
    const [problem, thrown] = await withDriver<[string, string]>(make);
    expect(problem).toMatch(
      /^device cuda needs the engine's CUDA code, which PANTHALIA_CUDA=1 npm run build makes, and it does not load: .*panthalia-0_cuda\.so/,
    );
    expect(thrown).toBe(`NO_CUDA ${problem}`);
  });

  it('is refused for opset torch with what its code needs, where that is missing', async () => {
    const [missing, wrongPrecision, canonical] = await withDriver<string[]>(`
      const make = (overrides) => thrown(() => new native.NativeTrainer({ ...options, opset: 'torch', ...overrides }));
      return [make({ precision: 'bf16' }), make({ precision: 'fp16' }), make({ opset: 'canon-f32-v1', precision: 'bf16' })];`);
    expect(missing).toMatch(
      /^NO_CUDA opset torch on device cuda needs code that PANTHALIA_CUDA=1 npm run build makes against a libtorch built for CUDA, and it does not load: .*panthalia-0_cuda_torch\.so/,
    );
    expect(wrongPrecision).toBe('VALUE_OUT_OF_RANGE precision must be fp32 or bf16, received fp16');
    expect(canonical).toBe(
      'VALUE_OUT_OF_RANGE precision is a choice of opset torch, received bf16 for canon-f32-v1',
    );
  });

  it('is refused for opset torch with the driver that it needs', async () => {
    await expect(trainer(options({ opset: 'torch', device: 'cuda' }))).rejects.toMatchObject({
      code: 'engine.no_cuda',
      exitCode: 3,
      message: expect.stringMatching(/^device cuda needs NVIDIA's driver, and it does not load: /),
      next: expect.stringContaining('--device cpu'),
    });
  });
});

describe('npm run test:cuda', () => {
  const script = join(projectRoot, 'scripts/testCuda.mjs');
  const testCuda = (args: string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });

  interface Row {
    test: string;
    shape: string;
    same: boolean | null;
    detail: string;
  }

  async function onEmulatedDevice(parts: string[], env: Record<string, string> = {}) {
    const copy = await withEmulatedDevice();
    const args = ['--steps', '2', '--shape', 'odd, erf', '--python', 'no-python', '--json', ...parts];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(copy, 'scripts/testCuda.mjs'), ...args],
      { encoding: 'utf8', env: { ...process.env, LD_LIBRARY_PATH: folder, ...env } },
    );
    expect(stdout, stderr).toMatch(/^\{.*\}\n$/);
    return { status, ...(JSON.parse(stdout) as { device: string; rows: Row[] }) };
  }

  it('finds the emulated device to compute what the CPU does', async () => {
    const { status, device, rows } = await onEmulatedDevice(['training']);
    expect(rows).toMatchObject([
      {
        test: 'training',
        shape: 'odd, erf, 2 micro-batches, 2 steps',
        same: true,
        detail: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      },
    ]);
    expect([status, device]).toEqual([0, 'emulated']);
  }, 180_000);

  it('ends with 5 where the device fails, with a row for everything that is not done, and why', async () => {
    const { status, rows } = await onEmulatedDevice(['training', 'conformance', 'torch'], {
      EMULATED_LAUNCHES: '20',
    });
    const lost = /^not done: .* received cudaErrorLaunchFailure/;
    const noCode = /^not done: opset torch on device cuda needs code .*; next: /;
    expect(rows.map(({ test, same }) => [test, same])).toEqual([
      ...[
        ['training', false],
        ['conformance', false],
      ],
      ...[
        ['gradients', false],
        ['gradients', false],
        ['losses', false],
      ],
    ]);
    for (const [i, reason] of [lost, lost, noCode, noCode, noCode].entries()) {
      expect(rows[i]?.detail).toMatch(reason);
    }
    expect(status).toBe(5);
  }, 180_000);

  /** A contestant in place of PyTorch: a program that says these lines, or ends. */
  async function rateBeside(script: string): Promise<unknown> {
    const python = join(temporaryFolder(), 'python');
    await writeFile(python, `#!/bin/sh\n${script}\n`);
    await chmod(python, 0o755);
    const { measureRate } = await import(join(projectRoot, 'scripts/cudaRates.mjs'));
    return measureRate({
      ...{ model: '0.8M', precision: 'fp32', contestants: ['canon', 'eager'], python },
      ...{ device: 'cpu', rounds: 1 },
    });
  }

  const facts = 'echo \'{"version": "0", "device": "cpu", "loadedBytes": 0}\'';
  const block = (loss: string) =>
    `{"losses": [${Array(10).fill(loss)}], "milliseconds": [1], "cpuMilliseconds": 1, "peakBytes": 1}`;

  it.each([
    ['PyTorch ends', 'echo "it multiplies in TF32" >&2; exit 1', /\(it multiplies in TF32\)/],
    [
      'PyTorch ends in a block',
      `${facts}; echo "torch.OutOfMemoryError: 1 GiB" >&2; echo >&2`,
      /\(torch.OutOfMemoryError: 1 GiB\): during a block$/,
    ],
    [
      'losses differ',
      `${facts}; while read line; do echo '${block('9')}'; done`,
      /^Error: the loss of step 1 must be within 0.000002 of 4\.\d+ \(canon\), and eager has 9$/,
    ],
  ])('has no rate, and says why, where %s', async (_, script, reason) => {
    await expect(rateBeside(script)).rejects.toThrow(reason);
  });

  it('says that nothing was tested where there is no device, and ends with 3', () => {
    const { status, stdout, stderr } = testCuda([], { LD_LIBRARY_PATH: folder, EMULATED_DEVICES: '0' });
    expect(stderr).toContain(
      'Nothing was tested: device cuda needs 1 or more CUDA devices, and the driver shows 0',
    );
    expect(stderr).toContain('next: run it on a machine with an NVIDIA GPU');
    expect([status, stdout]).toEqual([3, '']);
  });

  it.each([
    [['--steps', '0'], '--steps must be a positive number, received 0'],
    [['everything'], 'there is no part everything; there are conformance, training, rate, torch'],
    [['--fast'], "Unknown option '--fast'"],
  ])('ends with 2 for %j', (args, sentence) => {
    const { status, stderr } = testCuda(args);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('usage: npm run test:cuda');
    expect(status).toBe(2);
  });
});
