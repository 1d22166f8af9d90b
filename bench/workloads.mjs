/** What bench/step.mjs measures: models and batches, the files they come in, and the command of each contestant. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const gpt2 = { vocabSize: 50304, blockSize: 1024, layers: 12, heads: 12, width: 768 };
export const models = {
  '0.8M': {
    model: { vocabSize: 65, blockSize: 64, layers: 4, heads: 4, width: 128 },
    batch: { rows: 12, tokens: 64 },
  },
  '10.65M': {
    model: { vocabSize: 65, blockSize: 256, layers: 6, heads: 6, width: 384 },
    batch: { rows: 8, tokens: 256 },
  },
  '124M': { model: gpt2, batch: { rows: 2, tokens: 256 } },
  '124M 4x1024': { model: gpt2, batch: { rows: 4, tokens: 1024 } },
  '124M 1x1024': { model: gpt2, batch: { rows: 1, tokens: 1024 } },
  '124M 64x1024': { model: gpt2, batch: { rows: 64, tokens: 1024 } },
  '124M 64x1024 tanh': { model: { ...gpt2, gelu: 'tanh' }, batch: { rows: 64, tokens: 1024 } },
};
const learningRate = 1e-3;
const seed = `0x${'07'.repeat(32)}`;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A program of bench/*.cc beside the addon, of today's sources. */
export async function builtProgram(name) {
  const folder = here('../build/cmake');
  await promisify(execFile)('cmake', ['--build', folder, '--target', name, '--parallel', '2']);
  return join(folder, name);
}

/** PyTorch's. */
export const pythonModes = ['eager', 'tuned', 'medium', 'compile', 'compile-medium'];

/** name: canon, torch (ours); canon-native, torch-native (the same loops in C++); those of pythonModes (PyTorch's). */
export function commandOf(name, { workload, precision, device, threads, files }) {
  const { model, batch } = models[workload];
  if (pythonModes.includes(name)) {
    const { layers, heads, width, blockSize, vocabSize, gelu = 'erf' } = model;
    return [
      ...[process.env.PYTHON ?? 'python3', here('nanogpt.py'), '--mode', name, '--precision', precision],
      ...['--shape', [layers, heads, width, blockSize, vocabSize].join(',')],
      ...[
        '--rows',
        batch.rows,
        '--tokens',
        batch.tokens,
        '--learning-rate',
        learningRate,
        '--threads',
        threads,
      ],
      ...['--parameters', files.parameters, '--batches', files.batches, '--device', device, '--gelu', gelu],
    ].map(String);
  }
  const opset = name.startsWith('torch') ? 'torch' : 'canon-f32-v1';
  if (name.endsWith('native')) {
    const { vocabSize, blockSize, layers, heads, width } = model;
    return [
      ...[here('../build/cmake/panthalia_step'), opset, precision, threads],
      ...[vocabSize, blockSize, layers, heads, width, batch.rows, batch.tokens],
      ...[learningRate, files.parameters, files.batches],
    ].map(String);
  }
  const options = { opset, device, threads, model, batch, learningRate, ...files };
  if (opset === 'torch') options.precision = precision;
  return [process.execPath, here('ours.mjs'), JSON.stringify(options)];
}

/** Parameters by our own initialisation and batches that can be learned: four tokens of five follow from the one before. */
export async function prepare(workload, folder) {
  const { model, batch } = models[workload];
  const files = {
    parameters: join(folder, `${workload}.theta`),
    batches: join(folder, `${workload}.batches`),
  };
  const options = {
    opset: 'torch',
    threads: 1,
    model,
    batch: { rows: 1, tokens: 1 },
    learningRate,
    ...files,
  };
  const child = spawn(process.execPath, [here('ours.mjs'), JSON.stringify({ ...options, prepare: seed })], {
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  if (code !== 0)
    throw new Error(`the initial parameters could not be written (exit ${code}); first: npm run build`);
  await writeFile(files.batches, batchesOf(model.vocabSize, batch));
  return files;
}

function batchesOf(vocabSize, { rows, tokens }, count = 16) {
  let state = 12345;
  // source: Park and Miller 1988, the minimal standard generator
  const below = (limit) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
  const values = new Int32Array(2 * count * rows * tokens);
  for (let b = 0; b < count; b++) {
    for (let row = 0; row < rows; row++) {
      const [inputs, targets] = [(2 * b * rows + row) * tokens, ((2 * b + 1) * rows + row) * tokens];
      values[inputs] = below(vocabSize);
      for (let t = 0; t < tokens; t++) {
        const next = below(5) > 0 ? (values[inputs + t] * 7 + 3) % vocabSize : below(vocabSize);
        values[targets + t] = next;
        if (t + 1 < tokens) values[inputs + t + 1] = next;
      }
    }
  }
  return new Uint8Array(values.buffer);
}
