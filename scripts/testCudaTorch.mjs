/** Part `torch` of npm run test:cuda: opset torch on the device beside the same opset on the CPU, and beside PyTorch.
 *    gradients   of one step in fp32 and in bf16, tensor by tensor
 *    losses      of ten steps in bf16
 *    rate        bench/step.mjs on GPT-2 124M, 64 x 1024 tokens, with torch.compile (python3 with torch) */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { shapes as common } from './cudaShapes.mjs';

/** Of a tensor's gradient, |cuda - cpu| / |cpu|. fp32: both sum in an order of their own, and either is within 4e-6 of autograd's
 *  in fp64. bf16: either is within 1.6e-2 of it, as PyTorch's autocast is. Measured on an H200 on such shapes. */
const gradientTolerance = { fp32: 2e-5, bf16: 4e-2 };
/** Relative, of each of ten losses. Updates carry on what rounds to another bf16: on these shapes the CPU's losses in bf16 are
 *  up to 7e-3 from its losses in fp32. */
const lossTolerance = 1e-2;
const curveSteps = 10;

/** Heads that no kernel takes as they are, each of libtorch's attention kernels, both forms of GELU. */
const shapes = [
  ...common,
  {
    name: 'heads of 160, tanh',
    model: { vocabSize: 257, blockSize: 64, layers: 2, heads: 2, width: 320, gelu: 'tanh' },
    batch: { rows: 2, tokens: 64 },
  },
];

/** add: takes one row of the table.  start(where, shape): a trainer {trainer, step(k)} that holds the parameters of the seed */
export async function testTorch({ add, start, modelTensors, python }) {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-cuda-'));
  try {
    for (const precision of ['fp32', 'bf16']) {
      for (const shape of shapes) add(await gradients({ shape, precision, start, modelTensors, folder }));
    }
    for (const shape of shapes) add(await curve({ shape, start }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const row of rates(python)) add(row);
}

/** m after the first step is the gradient times the clip factor and 1 - beta1, on both sides. */
async function gradients({ shape: { name, ...shape }, precision, start, modelTensors, folder }) {
  const moments = {};
  const seconds = {};
  for (const where of ['cpu', 'cuda']) {
    const { trainer, step } = await start(where, { opset: 'torch', precision, ...shape });
    const begin = performance.now();
    await step(1);
    seconds[where] = (performance.now() - begin) / 1000;
    const path = join(folder, where);
    await trainer.saveState(path);
    await trainer.dispose();
    const bytes = readFileSync(path);
    moments[where] = new Float32Array(bytes.buffer, bytes.byteOffset + bytes.length / 3, bytes.length / 12);
  }
  const errors = modelTensors(shape.model).map(({ name: tensor, offset, length }) => {
    const of = (where) => moments[where].subarray(offset, offset + length);
    return { tensor, error: relativeError(of('cuda'), of('cpu')) };
  });
  const worst = errors.reduce((a, b) => (b.error > a.error || Number.isNaN(b.error) ? b : a));
  return {
    test: 'gradients',
    shape: `torch ${precision}, ${name}`,
    same: worst.error <= gradientTolerance[precision],
    seconds,
    detail: `within ${worst.error.toExponential(1)} of the CPU's, ${worst.tensor}`,
  };
}

function relativeError(values, reference) {
  let [difference, whole] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    difference += (values[i] - reference[i]) ** 2;
    whole += reference[i] ** 2;
  }
  return Math.sqrt(difference / whole);
}

async function curve({ shape: { name, ...shape }, start }) {
  const losses = {};
  const seconds = {};
  for (const where of ['cpu', 'cuda']) {
    const { trainer, step } = await start(where, { opset: 'torch', precision: 'bf16', ...shape });
    const begin = performance.now();
    losses[where] = [];
    for (let k = 1; k <= curveSteps; k++) losses[where].push((await step(k)).loss);
    seconds[where] = (performance.now() - begin) / 1000;
    await trainer.dispose();
  }
  const apart = Math.max(...losses.cpu.map((loss, k) => Math.abs(losses.cuda[k] / loss - 1)));
  return {
    test: 'losses',
    shape: `torch bf16, ${name}, ${curveSteps} steps`,
    same: apart <= lossTolerance,
    seconds,
    detail: `losses ${losses.cuda[0].toFixed(4)} to ${losses.cuda.at(-1).toFixed(4)}, within ${apart.toExponential(1)} of the CPU's`,
  };
}

function rates(python) {
  const models = ['124M 64x1024', '124M 64x1024 tanh'].flatMap((model) => ['--model', model]);
  const contestants = ['--contestants', 'torch,compile', '--rounds', '5', '--busy'];
  const command = ['--device', 'cuda', '--precision', 'bf16', ...contestants];
  const run = spawnSync(process.execPath, [join(root, 'bench/step.mjs'), ...command, ...models], {
    encoding: 'utf8',
    env: { ...process.env, PYTHON: python },
    maxBuffer: 1 << 26,
  });
  const lines = run.stdout.split('\n').filter((line) => line.startsWith('{'));
  const ours = lines.map((line) => JSON.parse(line)).filter(({ contestant }) => contestant === 'torch');
  if (run.status !== 0) {
    const reason = run.stderr.trim().split('\n').at(-1);
    const row = { test: 'rate', shape: 'torch bf16, 124M', same: null, seconds: {} };
    return [{ ...row, detail: `nothing to compare with: ${reason}` }];
  }
  return ours.map((line) => ({
    test: 'rate',
    shape: `torch bf16, ${line.workload}`,
    same: null,
    seconds: { cuda: line.milliseconds.median / 1000 },
    detail: `${line.milliseconds.median} ms a step, ${line.tokensPerSec} tokens/s; ${Object.entries(
      line.ratios,
    )
      .map(([other, { median, low, high }]) => `${median} (${low}-${high}) times PyTorch's rate, ${other}`)
      .join('; ')}`,
    measured: line,
  }));
}
