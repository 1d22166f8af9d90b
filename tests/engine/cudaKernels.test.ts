/** The CUDA kernels of canon-f32-v1 without a GPU: compiled for the CPU, every thread of a block a fiber (native/test/cuda_emulation),
 *  against the kernels of the CPU and loops over the document. `npm run test:cuda` does it on a device. */
import { beforeAll, describe, expect, it } from 'vitest';
import canon from '../fixtures/canon.json' with { type: 'json' };
import { buildPrograms, runProgram } from '../helpers/nativeProgram.js';

beforeAll(() => buildPrograms('panthalia_cuda_emulation_test'), 300_000);

const run = <Answer>(...args: (string | number)[]) =>
  runProgram<Answer>('panthalia_cuda_emulation_test', ...args);

/** In which the threads of a block run between two barriers. */
const orders = ['ascending', 'descending', 'shuffled'];

interface Comparison {
  compared: number;
  differing: string[];
}

describe('the CUDA kernels, emulated', () => {
  it('compute exp, log, erf and tanh as the naive implementation does', async () => {
    const { stride, ...expected } = canon.elementary;
    expect(await run('elementary', stride)).toEqual(expected);
  });

  it.each(orders)(
    'give what the CPU kernels give, in every bit, whatever order threads run in: %s',
    async (order) => {
      const { compared, differing } = await run<Comparison>('operators', order);
      expect(differing).toEqual([]);
      expect(compared).toBeGreaterThan(150);
    },
    180_000,
  );

  it('multiply alike in every layout, with two tiles, and one, two, three and five chunks side by side', async () => {
    expect(await run('products', 'shuffled')).toEqual({ compared: 96, differing: [] });
  }, 180_000);

  it('notice a barrier that is missing, so the orders above mean something', async () => {
    const { wrongWithBarrier, wrongWithout } = await run<Record<string, number>>('barrier', 'ascending');
    expect(wrongWithBarrier).toBe(0);
    expect(wrongWithout).toBeGreaterThan(0);
  });
});

describe('a whole model on the emulated device', () => {
  interface Histories {
    cuda: string[];
    reference: string[];
  }
  // steps, vocabulary, block size, layers, heads, width, rows, tokens, gelu (1: tanh); two micro-batches each
  it.each([
    ['two layers, erf', [4, 67, 19, 2, 3, 33, 3, 17, 0]],
    ['two blocks of queries, tanh', [2, 131, 83, 1, 2, 26, 2, 77, 1]],
    ['a width of whole vectors', [2, 256, 64, 2, 4, 64, 2, 64, 0]],
  ] as [string, number[]][])(
    'has loss, norm and state root of the CPU after every step: %s',
    async (_, shape) => {
      const { cuda, reference } = await run<Histories>('training', 'shuffled', ...shape);
      expect(cuda).toHaveLength(shape[0] as number);
      expect(new Set(cuda).size).toBe(cuda.length);
      expect(cuda).toEqual(reference);
    },
    60_000,
  );
});

describe('a device that fails', () => {
  it('has its own codes when it is full, lost or not there, leaks nothing, and the process goes on', async () => {
    expect(await run('failures', 'ascending')).toEqual({
      healthy: 'nothing',
      full: expect.stringMatching(
        /^OUT_OF_MEMORY could not allocate \d+ bytes on emulated, which has \d+ of 1048576 bytes free$/,
      ),
      lost: `DEVICE_LOST could not start a kernel: CUDA's answer must be cudaSuccess, received cudaErrorLaunchFailure, emulated failure`,
      other:
        "NO_CUDA device cuda must be one of the machine's CUDA devices, of which there are 1, received number 7",
      again: 'nothing',
      leaked: 0,
    });
  });
});
