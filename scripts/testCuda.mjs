/** npm run test:cuda: all that needs a GPU, in one command. Builds the engine and its CUDA code against that machine's torch, then
 *    conformance   the digest of canon-f32-v1 on the device is the pinned one and the CPU's
 *    training      losses, gradient norms and state roots of the device are the CPU's, step for step, on several shapes
 *    rate          milliseconds per step beside PyTorch's with cuBLAS in fp32, TF32 off, by bench/step.mjs (where python3 has torch
 *                  for CUDA); of the roots after it; and the device's memory that either takes
 *    torch         opset torch: gradients and losses beside the CPU's, the rate beside torch.compile (testCudaTorch.mjs)
 *  prints a table with the device's name, and keeps all figures, row by row, in a file. What can not be done is a row that says why,
 *  and a failure; all others are done.
 *  usage: node scripts/testCuda.mjs [--steps 100] [--shape TEXT] [--threads N] [--python python3] [--out build/testCuda.json] [--json]
 *         [conformance | training | rate | torch ...]
 *  --steps: of training; with fewer than its 64, conformance takes its short form. --shape: only shapes with that in their name, to try
 *  one again
 *  exit codes: 0 all equal, 2 usage, 3 no device or no CUDA code, 5 something differs or could not be done */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { models } from '../bench/workloads.mjs';
import { root } from './compile.mjs';
import { measureRate } from './cudaRates.mjs';
import { gpt2, shapes } from './cudaShapes.mjs';
import { gpuFacts, memoryUsedMiB, torchForCuda } from './gpuFacts.mjs';
import { testTorch } from './testCudaTorch.mjs';

const parts = ['conformance', 'training', 'rate', 'torch'];
const { steps, shape: only, threads, python, json, out, wanted } = readArguments();

// An engine that was built before there was a GPU stands on a libtorch without CUDA.
const torch = torchForCuda(python);
if (torch.folder !== undefined) process.env.LIBTORCH ??= torch.folder;
const setup = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (setup.status !== 0) process.exit(setup.status ?? 1);

const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const [
  { loadAddon },
  { conformanceDigest, pinnedDigests, conformanceDefaults },
  { createTrainer },
  { innerConstants, stepScalars },
  { modelTensors },
] = await Promise.all(
  ['engine/loadAddon', 'engine/conformance', 'engine/trainer', 'protocol/spec', 'protocol/stateTree'].map(
    dist,
  ),
);

const addon = await loadAddon();
const problem = addon.cudaProblem();
if (problem !== '') {
  console.error(
    `Nothing was tested: ${problem}.\nnext: run it on a machine with an NVIDIA GPU, its driver and nvcc`,
  );
  process.exit(3);
}
const device = addon.cudaDeviceName();

/** The whole of GPT-2 for as long as a CPU allows. */
const trainings = [...shapes, { name: '124M', model: gpt2, batch: { rows: 1, tokens: 1024 }, mostSteps: 3 }];
const rates = ['0.8M', '124M 4x1024'].map((name) => ({ name, ...models[name] }));
/** nanoGPT's, at a constant learning rate */
const inner = {
  ...{
    learningRate: 1e-3,
    warmupSteps: 0,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    clipNorm: 1,
  },
};
const seed = `0x${'07'.repeat(32)}`;
const rows = [];

const facts = { ...gpuFacts(root), torch: torch.version ?? torch.problem, threads, steps };

const chosen = (shapesOfPart) => shapesOfPart.filter(({ name }) => name.includes(only));
const tests = {
  conformance: testConformance,
  training: () => inTurn(chosen(trainings), testTraining),
  rate: () => inTurn(chosen(rates), testRate),
  torch: () => testTorch({ attempt, chosen, using, modelTensors, python }),
};
for (const part of wanted) await tests[part]();

const failed = rows.length === 0 || rows.some(({ same }) => same === false);
if (json) console.log(JSON.stringify({ device, ...facts, rows }));
else printTable();
process.exit(failed ? 5 : 0);

async function inTurn(shapesOfPart, test) {
  for (const shape of shapesOfPart) await test(shape);
}

/** A row, {same, seconds, detail ..}; of what throws, why it is not done. The rows after it are done. */
async function attempt(test, shape, work) {
  try {
    add({ test, shape, ...(await work()) });
  } catch (error) {
    // An error without a code is a mistake of ours: where it happened is wanted too.
    if (error.code === undefined) console.error(error.stack);
    const next = error.next === undefined ? '' : `; next: ${error.next}`;
    add({ test, shape, same: false, seconds: {}, detail: `not done: ${error.message}${next}` });
  }
}

async function testConformance() {
  const { steps: whole, shortSteps, seed: number } = conformanceDefaults;
  const count = steps < whole ? shortSteps : whole;
  await attempt('conformance', `${count} steps of two models`, async () => {
    const digests = {};
    const seconds = {};
    for (const where of ['cpu', 'cuda']) {
      const begin = performance.now();
      digests[where] = await conformanceDigest({ device: where, threads, steps: count, seed: number });
      seconds[where] = (performance.now() - begin) / 1000;
    }
    const same = digests.cpu === digests.cuda && digests.cuda === pinnedDigests[count];
    return { same, seconds, detail: digests.cuda };
  });
}

function testTraining({ name, mostSteps = steps, ...shape }) {
  const count = Math.min(steps, mostSteps);
  return attempt('training', `${name}, ${count} steps`, () =>
    using(['cpu', 'cuda'], shape, (trainers) => compareHistories(trainers, count)),
  );
}

/** Both at once, so that the first difference ends it. */
async function compareHistories([cpu, cuda], count) {
  const seconds = { cpu: 0, cuda: 0 };
  let difference = '';
  let rootAfter = '';
  for (let k = 1; k <= count && difference === ''; k++) {
    const hashed = k % 10 === 0 || k === count;
    const [a, b] = [await historyOf(cpu, k, hashed, seconds), await historyOf(cuda, k, hashed, seconds)];
    for (const [what, expected] of Object.entries(a)) {
      if (!Object.is(expected, b[what]))
        difference = `step ${k}: ${what} ${expected} on the CPU, ${b[what]} on CUDA`;
    }
    rootAfter = b.state ?? rootAfter;
  }
  return { same: difference === '', seconds, detail: difference === '' ? rootAfter : difference };
}

/** What work returns of trainers {where, trainer, step(k)} on these devices, which hold the parameters of the seed, and no memory
 *  afterwards: the next shape would lack it. */
async function using(places, shape, work) {
  const made = [];
  try {
    for (const where of places) {
      made.push(await makeTrainer(where, shape));
      await made.at(-1).trainer.initialise(seed);
    }
    return await work(made);
  } finally {
    for (const { trainer } of made) await trainer.dispose();
  }
}

async function makeTrainer(where, { opset = 'canon-f32-v1', microBatches = 1, ...shape }) {
  const options = { opset, device: where, threads, microBatches, ...shape };
  const trainer = await createTrainer({ ...options, inner: innerConstants({ inner }) });
  const scalars = stepScalars({ inner, innerSteps: Math.max(steps, 64) }, 0);
  const step = (k) => trainer.innerStep(tokensOf(k % 7, options), scalars[k - 1]);
  return { where, trainer, step };
}

async function historyOf({ where, trainer, step }, k, hashed, seconds) {
  const begin = performance.now();
  const { loss, gradientNorm: norm } = await step(k);
  const roots = hashed ? { state: await trainer.stateRoot(), gradients: await trainer.gradientRoot() } : {};
  seconds[where] += (performance.now() - begin) / 1000;
  return { loss, norm, ...roots };
}

/** The same for both; a quarter of them the token 1, so that rows of the embedding meet. */
function tokensOf(salt, { model, batch, microBatches }) {
  const count = microBatches * batch.rows * batch.tokens;
  let state = 12_345 + salt;
  const draw = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % 4 === 3 ? 1 % model.vocabSize : (state >>> 8) % model.vocabSize;
  };
  return {
    inputs: Int32Array.from({ length: count }, draw),
    targets: Int32Array.from({ length: count }, draw),
  };
}

/** A step beside PyTorch's, each in a process of its own; then what a worker does after it, in this one. */
async function testRate({ name, ...shape }) {
  const alone = torch.problem !== undefined;
  const contestants = alone ? ['canon'] : ['canon', 'eager', 'tuned'];
  let eager;
  await attempt('rate', `canon fp32, ${name}`, () => {
    const { detail, ...row } = measureRate({ model: name, precision: 'fp32', contestants, python });
    eager = row.measured.find(({ contestant }) => contestant === 'eager');
    return { ...row, detail: alone ? `${detail}; no PyTorch to compare with: ${torch.problem}` : detail };
  });
  await attempt('roots', name, () => measureRoots(shape, eager));
}

/** Medians of 20 steps after 5, each followed by the roots that a worker takes; and the device's memory. */
async function measureRoots(shape, eager) {
  const before = memoryUsedMiB();
  return using(['cuda'], shape, async ([{ trainer, step }]) => {
    const measured = { steps: [], state: [], gradients: [] };
    for (let k = 1; k <= 25; k++) {
      measured.steps.push((await step(k)).milliseconds);
      measured.state.push(await millisecondsOf(() => trainer.stateRoot()));
      measured.gradients.push(await millisecondsOf(() => trainer.gradientRoot()));
    }
    const [ms, state, gradients] = Object.values(measured).map((each) => median(each.slice(5)));
    const share = ((100 * state) / (ms + state)).toFixed(1);
    const memoryMiB = memoryUsedMiB() - before;
    const took = Number.isNaN(memoryMiB) ? 'nvidia-smi tells no memory' : `${memoryMiB} MiB of the device`;
    const theirs = eager === undefined ? '' : `, PyTorch's allocator at most ${eager.deviceMiB} MiB`;
    return {
      same: null,
      seconds: { cuda: state / 1000 },
      detail: `the state's ${state.toFixed(2)} ms, ${share} % of a step and it; the gradients' ${gradients.toFixed(2)} ms; ${took}${theirs}`,
      ...{ stepMs: ms, stateRootMs: state, gradientRootMs: gradients, memoryMiB },
    };
  });
}

async function millisecondsOf(call) {
  const begin = performance.now();
  await call();
  return performance.now() - begin;
}

/** Kept at once: what follows may end the process, or the time that a machine is lent for. */
function add(row) {
  rows.push(row);
  console.error(line(row));
  writeFileSync(out, `${JSON.stringify({ device, ...facts, rows }, null, 2)}\n`);
}

function printTable() {
  console.log(`\n${device}, beside the CPU with ${threads} threads`);
  for (const row of rows) console.log(line(row));
  console.log(
    failed
      ? 'SOMETHING DIFFERS OR WAS NOT DONE'
      : 'all that was compared is the same, opset torch within its tolerances',
  );
  console.log(`figures: ${out}`);
}

function line({ test, shape, same, seconds, detail }) {
  const verdict = { true: 'same', false: 'FAILED', null: '' }[`${same}`];
  const took = Object.entries(seconds).map(([where, s]) => `${where} ${s.toPrecision(3)} s`);
  return [test.padEnd(12), shape.padEnd(38), verdict.padEnd(8), took.join(', ').padEnd(26), detail]
    .join(' ')
    .trimEnd();
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        steps: { type: 'string', default: '100' },
        shape: { type: 'string', default: '' },
        threads: { type: 'string', default: String(availableParallelism()) },
        python: { type: 'string', default: 'python3' },
        out: { type: 'string', default: join(root, 'build/testCuda.json') },
        json: { type: 'boolean', default: false },
      },
    });
    for (const name of ['steps', 'threads']) {
      if (!/^[1-9]\d{0,4}$/.test(values[name]))
        throw new Error(`--${name} must be a positive number, received ${values[name]}`);
    }
    const unknown = positionals.filter((name) => !parts.includes(name));
    if (unknown.length > 0)
      throw new Error(`there is no part ${unknown.join(', ')}; there are ${parts.join(', ')}`);
    return {
      ...values,
      out: resolve(values.out),
      steps: Number(values.steps),
      threads: Number(values.threads),
      wanted: positionals.length > 0 ? positionals : parts,
    };
  } catch (error) {
    console.error(
      `${error.message}\nusage: npm run test:cuda -- [--steps N] [--shape TEXT] [--threads N] [--python FILE] [--out FILE] [--json] [${parts.join(' | ')} ...]`,
    );
    process.exit(2);
  }
}
