/** Whole steps of canon-f32-v1 in a program of their own: what they ask of the allocator, and of the processor. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { buildPrograms, runProgram } from '../helpers/nativeProgram.js';

const program = 'panthalia_canon_training_test';
beforeAll(() => buildPrograms(program), 300_000);

describe('a step', () => {
  it('allocates nothing, with its losses, norms and roots, on any instruction set, on one thread or several', async () => {
    const counts = await runProgram<Record<'isa' | 'threads' | 'toMake' | 'inSteps', unknown>[]>(
      program,
      'allocations',
    );
    const { isa } = (await loadAddon()).buildInfo();
    const machines = isa.flatMap((each) => [1, 3].map((threads) => ({ isa: each, threads })));
    expect(counts).toEqual(
      machines.map((machine) => ({ ...machine, toMake: expect.any(Number), inSteps: 0 })),
    );
    for (const { toMake } of counts) expect(toMake).toBeGreaterThan(10);
  });
});

describe('a processor without AVX2', () => {
  interface Run {
    isas: string[];
    chosen: string;
    /** what is said to whoever asks for it; empty where it is there */
    avx2: string;
    root: string;
  }

  it('gets the scalar kernels and their bits, and says no to the others', async () => {
    const [here, old] = [await runProgram<Run>(program, 'run'), await runProgram<Run>(program, 'run-old')];
    const { isa } = (await loadAddon()).buildInfo();
    expect(here).toMatchObject({ isas: isa, chosen: isa.at(-1) });
    expect(old).toEqual({
      isas: ['scalar'],
      chosen: 'scalar',
      avx2: 'isa must be one that this CPU has (scalar), received avx2',
      root: here.root,
    });
  });
});
