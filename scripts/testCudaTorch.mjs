/** Part `torch` of npm run test:cuda: opset torch on the device beside the same opset on the CPU, and beside PyTorch.
 *    gradients   of one step in fp32 and in bf16, tensor by tensor
 *    losses      of ten steps in bf16
 *    rate        bench/step.mjs on GPT-2 124M, 64 x 1024 tokens, with torch.compile (python3 with torch) */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureRate } from './cudaRates.mjs';
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

const rates = [{ name: '124M 64x1024' }, { name: '124M 64x1024 tanh' }];

/** attempt(test, shape, work): takes the row that work returns, or why it is not done
 *  chosen(list): those asked for.  using(places, shape, work): what work returns of trainers {trainer, step(k)} that hold the seed's parameters */
export async function testTorch({ attempt, chosen, using, modelTensors, python }) {
  for (const precision of ['fp32', 'bf16']) {
    for (const shape of chosen(shapes)) {
      await attempt('gradients', `torch ${precision}, ${shape.name}`, () =>
        gradients({ shape, precision, using, modelTensors }),
      );
    }
  }
  for (const shape of chosen(shapes)) {
    await attempt('losses', `torch bf16, ${shape.name}, ${curveSteps} steps`, () => curve({ shape, using }));
  }
  for (const { name } of chosen(rates)) {
    const contestants = ['torch', 'compile'];
    await attempt('rate', `torch bf16, ${name}`, () =>
      measureRate({ model: name, precision: 'bf16', contestants, python }),
    );
  }
}

/** m after the first step is the gradient times the clip factor and 1 - beta1, on both sides. */
async function gradients({ shape: { name: _, ...shape }, precision, using, modelTensors }) {
  const seconds = {};
  const moments = await onBoth(
    { opset: 'torch', precision, ...shape },
    using,
    async ({ where, trainer, step }) => {
      const begin = performance.now();
      await step(1);
      seconds[where] = (performance.now() - begin) / 1000;
      return firstMoments(trainer);
    },
  );
  const errors = modelTensors(shape.model).map(({ name: tensor, offset, length }) => {
    const [cpu, cuda] = moments.map((values) => values.subarray(offset, offset + length));
    return { tensor, error: relativeError(cuda, cpu) };
  });
  const worst = errors.reduce((a, b) => (b.error > a.error || Number.isNaN(b.error) ? b : a));
  return {
    same: worst.error <= gradientTolerance[precision],
    seconds,
    detail: `within ${worst.error.toExponential(1)} of the CPU's, ${worst.tensor}`,
  };
}

/** What work returns of a trainer on the CPU and of one on the device, one after the other. */
async function onBoth(shape, using, work) {
  const answers = [];
  for (const where of ['cpu', 'cuda'])
    answers.push(await using([where], shape, ([started]) => work(started)));
  return answers;
}

/** The file of a state: theta, m, v. */
async function firstMoments(trainer) {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-cuda-'));
  try {
    const path = join(folder, 'state');
    await trainer.saveState(path);
    const bytes = readFileSync(path);
    return new Float32Array(bytes.buffer, bytes.byteOffset + bytes.length / 3, bytes.length / 12);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function relativeError(values, reference) {
  let [difference, whole] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    difference += (values[i] - reference[i]) ** 2;
    whole += reference[i] ** 2;
  }
  return Math.sqrt(difference / whole);
}

async function curve({ shape: { name: _, ...shape }, using }) {
  const seconds = {};
  const [cpu, cuda] = await onBoth(
    { opset: 'torch', precision: 'bf16', ...shape },
    using,
    async ({ where, step }) => {
      const begin = performance.now();
      const losses = [];
      for (let k = 1; k <= curveSteps; k++) losses.push((await step(k)).loss);
      seconds[where] = (performance.now() - begin) / 1000;
      return losses;
    },
  );
  const apart = Math.max(...cpu.map((loss, k) => Math.abs(cuda[k] / loss - 1)));
  return {
    same: apart <= lossTolerance,
    seconds,
    detail: `losses ${cuda[0].toFixed(4)} to ${cuda.at(-1).toFixed(4)}, within ${apart.toExponential(1)} of the CPU's`,
  };
}
