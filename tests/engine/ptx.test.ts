/** What nvcc makes of the CUDA kernels: every operation on floats is IEEE's and says so, whatever the flags. Needs nvcc, no GPU. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compilePtx,
  compileText,
  floatFaults,
  floatOpcodes,
  kernelFolder,
  nvccFlags,
  nvccVersion,
  opcodes,
} from '../helpers/ptx.js';

const kernels = (await readdir(kernelFolder)).filter((name) => name.endsWith('.cu')).sort();
const hasNvcc = (await nvccVersion()) !== null;
/** Where this is said a check that is left out is a failure: .ci/run does. */
const isDemanded = process.env.PANTHALIA_NVCC === 'required';
const ours = ['--options-file', nvccFlags];
const torchFolder = join(kernelFolder, '../torch');
const torchKernels = (await readdir(torchFolder)).filter((name) => name.endsWith('.cu')).sort();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-ptx-'));
});
afterAll(() => rm(folder, { recursive: true }));

it.runIf(isDemanded)('nvcc runs here, as PANTHALIA_NVCC=required demands', () => {
  expect(hasNvcc).toBe(true);
});

describe.skipIf(!hasNvcc)(
  `the CUDA kernels as PTX${hasNvcc ? '' : ' (skipped: nvcc does not run here)'}`,
  () => {
    it.for(kernels)('round every operation by itself, to nearest even: %s', async (name) => {
      const ptx = await compilePtx(join(kernelFolder, name), ours);
      expect(floatFaults(ptx)).toEqual([]);
      expect(opcodes(ptx).length).toBeGreaterThan(50);
    });

    it.for(kernels)('leave nothing to contract where nvcc may: %s', async (name) => {
      const [strict, free] = await Promise.all([
        compilePtx(join(kernelFolder, name), ours),
        compilePtx(join(kernelFolder, name), ['--fmad=true']),
      ]);
      expect(floatFaults(free)).toEqual([]);
      expect(floatOpcodes(free)).toEqual(floatOpcodes(strict));
    });

    const body = (statement: string) =>
      `__global__ void kernel(float* out, float a, float b, float c) { ${statement} }\n`;
    it.each([
      [
        'a product and a sum that nvcc contracts',
        'out[0] = a * b; out[1] = a + b;',
        [],
        ['add.f32', 'mul.f32'],
      ],
      ['exp of the library', 'out[0] = expf(a);', [], [/^ex2\.approx/]],
      ['tanh of the library', 'out[0] = tanhf(a);', [], [/approx/]],
      ['a quick reciprocal root', 'out[0] = rsqrtf(a);', [], [/^rsqrt\.approx/]],
      ['a quick quotient', 'out[0] = __fdividef(a, b);', [], [/^div\.(approx|full)/]],
      ['subnormals that count as zero', 'out[0] = __fadd_rn(a, b);', ['-ftz=true'], ['add.rn.ftz.f32']],
      ['sums in the order of arrival', 'atomicAdd(out, a);', [], [/^(atom|red)\..*add.*f32/]],
      ['binary64', 'out[0] = (float)((double)a * b + c);', ['--fmad=false'], [/f64/]],
      ['another rounding', 'out[0] = __fadd_rz(a, b);', [], ['add.rz.f32']],
    ] as [string, string, string[], (string | RegExp)[]][])(
      'would be refused for %s',
      async (_, statement, flags, expected) => {
        const faults = floatFaults(await compileText(body(statement), folder, flags));
        for (const fault of expected) {
          expect(faults).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
        }
      },
    );

    it('would be refused for a multiply-add that nvcc makes of two operators', async () => {
      const text = body('out[0] = a * b + c;');
      const [strict, free] = [
        await compileText(text, folder, ours),
        await compileText(text, folder, ['--fmad=true']),
      ];
      expect(floatOpcodes(strict)).not.toEqual(floatOpcodes(free));
    });

    it('would be refused for a function that is called', async () => {
      const text = `__device__ __noinline__ float twice(float x) { return __fadd_rn(x, x); }\n${body('out[0] = twice(a);')}`;
      expect(floatFaults(await compileText(text, folder, ours))).toContainEqual(
        expect.stringMatching(/^call/),
      );
    });

    // What they compute, a GPU says: npm run test:cuda -- torch.
    it.for(torchKernels)('those of opset torch compile, and move 16 bytes at a time: %s', async (name) => {
      const ptx = await compilePtx(join(torchFolder, name), []);
      for (const moves of [/\bld\.global\.(nc\.)?v4\.[a-z]+32/, /\bst\.global\.v4\.[a-z]+32/]) {
        expect(ptx).toMatch(moves);
      }
    });
  },
);
