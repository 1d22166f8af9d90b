import { beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { buildPrograms, runProgram } from '../helpers/nativeProgram.js';

beforeAll(() => buildPrograms('panthalia_canon_gemm_test'), 300_000);

interface Answer {
  compared: number;
  variants: string[];
  differing: string[];
  outside: string[];
}

describe('a product of canon-f32-v1', () => {
  it('has the bits of loops over the document, on every instruction set, with 1 to 8 threads and any tiles', async () => {
    const { compared, variants, differing, outside } = await runProgram<Answer>('panthalia_canon_gemm_test');
    const { isa } = (await loadAddon()).buildInfo();
    const tilings = isa.includes('avx2') ? [0, 1, 2, 3, 4].map((number) => `tiling ${number}`) : [];
    expect(variants).toEqual([...isa, ...tilings].sort());
    expect(compared).toBeGreaterThan(10_000_000);
    expect(differing).toEqual([]);
    expect(outside).toEqual([]);
  }, 120_000);
});
