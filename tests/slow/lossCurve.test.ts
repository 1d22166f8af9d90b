/** Two thousand steps of a character model of Shakespeare beside PyTorch's: about four minutes on two cores.
 *  SAMPLES: a folder with tinyshakespeare/input.txt        PYTHON: a Python with torch (python3) */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { innerConstants, stepScalars } from '../../src/protocol/spec.js';
import { batch as batchOf, options, seed, temporaryFolder, trainer } from '../helpers/engine.js';

const steps = 2000;
const rows = 12;
const tokens = 64;
const model = { vocabSize: 65, blockSize: tokens, layers: 4, heads: 4, width: 128 };
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
/** Losses that the end of a curve is the mean of: one batch is noise. */
const last = 100;

const python = process.env.PYTHON ?? 'python3';
const text = join(process.env.SAMPLES ?? '', 'tinyshakespeare/input.txt');
const missing = !existsSync(text)
  ? 'SAMPLES names no folder with tinyshakespeare'
  : hasTorch()
    ? ''
    : `${python} has no torch`;

function hasTorch(): boolean {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Batches of (inputs, targets), windows taken at the words of a fixed sequence. */
async function shakespeare(): Promise<Int32Array[]> {
  const characters = Array.from(await readFile(text, 'utf8'));
  const vocabulary = [...new Set(characters)].sort();
  expect(vocabulary).toHaveLength(model.vocabSize);
  const codes = Int32Array.from(characters, (character) => vocabulary.indexOf(character));
  const starts = batchOf(
    1,
    options({ model: { ...model, vocabSize: codes.length - tokens - 1 }, batch: { rows, tokens: steps } }),
  );
  return Array.from({ length: steps }, (_, k) => {
    const values = new Int32Array(2 * rows * tokens);
    for (let row = 0; row < rows; row++) {
      const start = starts.inputs[k * rows + row] as number;
      values.set(codes.subarray(start, start + tokens), row * tokens);
      values.set(codes.subarray(start + 1, start + 1 + tokens), (rows + row) * tokens);
    }
    return values;
  });
}

const end = (losses: number[]) => losses.slice(-last).reduce((sum, loss) => sum + loss, 0) / last;

it.skipIf(missing !== '')(
  `the loss after ${steps} steps is PyTorch's within half a percent${missing && `: skipped, ${missing}`}`,
  async ({ signal }) => {
    const folder = temporaryFolder();
    const [parameters, batches] = [join(folder, 'theta'), join(folder, 'batches')];
    const values = await shakespeare();
    await writeFile(batches, Buffer.concat(values.map(({ buffer }) => new Uint8Array(buffer))));
    const made = await trainer({
      ...{
        opset: 'canon-f32-v1',
        threads: 2,
        model,
        batch: { rows, tokens },
        inner: innerConstants({ inner }),
      },
    });
    await made.initialise(seed);
    await made.saveParameters(parameters);

    const ours: number[] = [];
    const half = rows * tokens;
    for (const [k, scalars] of stepScalars({ inner, innerSteps: steps }, 0).entries()) {
      const batch = values[k] as Int32Array;
      const { loss } = await made.innerStep(
        { inputs: batch.subarray(0, half), targets: batch.subarray(half) },
        scalars,
        signal,
      );
      ours.push(loss);
    }
    const shape = [model.layers, model.heads, model.width, model.blockSize, model.vocabSize].join();
    const { stdout } = await promisify(execFile)(
      python,
      [
        fileURLToPath(new URL('../../bench/nanogpt.py', import.meta.url)),
        ...['--shape', shape, '--rows', `${rows}`, '--tokens', `${tokens}`, '--parameters', parameters],
        ...[
          '--batches',
          batches,
          '--learning-rate',
          `${inner.learningRate}`,
          '--threads',
          '2',
          '--steps',
          `${steps}`,
        ],
      ],
      // A test that is over, by its time limit or by Ctrl-C, takes its Python with it.
      { maxBuffer: 1 << 24, signal, killSignal: 'SIGKILL' },
    );
    const { losses: theirs } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as { losses: number[] };
    expect(theirs).toHaveLength(steps);
    console.info(
      `mean loss of the last ${last} steps: ours ${end(ours).toFixed(4)}, PyTorch's ${end(theirs).toFixed(4)}`,
    );
    expect(end(ours)).toBeLessThan(2);
    expect(Math.abs(end(ours) / end(theirs) - 1)).toBeLessThan(0.005);
  },
);
