/** Whole steps of canon-f32-v1 in a program of their own: what they ask of the allocator, and of the processor. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { temporaryFolder } from '../helpers/engine.js';
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

describe('attention', () => {
  it('needs memory that grows as the length of a row does, not as its square', async () => {
    const sizes = await runProgram<{ isa: string; tokens: number; toMake: number; inStep: number }[]>(
      program,
      'lengths',
    );
    for (const isa of (await loadAddon()).buildInfo().isa) {
      const of = sizes.filter((size) => size.isa === isa);
      expect(of.map(({ tokens, inStep }) => [tokens, inStep])).toEqual(
        [2048, 4096, 8192].map((tokens) => [tokens, 0]),
      );
      const [short = 0, middle = 0, long = 0] = of.map(({ toMake }) => toMake);
      // Twice as many tokens more, twice as many bytes more: four times would be a table of all pairs of positions.
      const growth = (long - middle) / (middle - short);
      expect(growth, isa).toBeGreaterThan(1.9);
      expect(growth, isa).toBeLessThan(2.1);
    }
  });
});

describe('a step that fails', () => {
  it('in the update, in the sum of its losses, or where memory is short for the words, leaves a state that nobody can use', async () => {
    const failures = await runProgram<Record<string, string[]>>(program, 'failures');
    const torn = 'INVALID_STATE the update of inner step 1 did not finish';
    const norm = expect.stringMatching(
      /^INVALID_STATE NaN or Inf in inner step 1, first in the gradient norm: .* of tensor transformer\.\S+ most of all$/,
    );
    const nan = 'INVALID_STATE NaN or Inf in inner step 1';
    const losses = `${nan}, first in the sum over micro-batches, in tensor loss`;
    expect(failures).toEqual({
      deviceLostWhereThePlaceIsLookedFor: ['DEVICE_LOST no answer', nan, nan],
      lossesThatSumToInfinity: [losses, losses, losses],
      update: ['VALUE_OUT_OF_RANGE a worker refuses', torn, torn],
      normWithoutMemory: [norm, norm, norm],
    });
  });
});

describe('a NaN', () => {
  type Births = Record<'forward' | 'backward', Record<string, string>>;
  let births: Births;
  beforeAll(async () => {
    births = await runProgram<Births>(program, 'births');
  }, 120_000);

  it('that is born in the forward pass is told of with the operator that left it, and the tensor', () => {
    // (N, C) = (154, 33)
    const layer = (i: number) => [
      ['layer_norm', `layer norm ln_1 of layer ${i}, in tensor a (154, 33)`],
      ['linear', `linear attn.c_attn of layer ${i}, in tensor qkv (154, 99)`],
      ['attention', `attention of layer ${i}, in tensor o (154, 33)`],
      ['linear_residual', `linear attn.c_proj with its residual of layer ${i}, in tensor y (154, 33)`],
      ['layer_norm', `layer norm ln_2 of layer ${i}, in tensor f (154, 33)`],
      ['linear_gelu', `gelu of layer ${i}, in tensor gelu(u) (154, 132)`],
      ['linear_residual', `linear mlp.c_proj with its residual of layer ${i}, in tensor x (154, 33)`],
    ];
    const expected = [
      ['embedding', 'the embedding, in tensor x (154, 33)'],
      ...layer(0),
      ...layer(1),
      ['layer_norm', 'layer norm ln_f, in tensor layerNorm(x, ln_f) (154, 33)'],
      ['linear', "the head's linear or the cross-entropy, in tensor z (154, 67)"],
      ['cross_entropy', "the head's linear or the cross-entropy, in tensor loss"],
    ].map(([operator, words], i) => [
      `${i} ${operator}`,
      `INVALID_STATE NaN or Inf in inner step 1, first in ${words}`,
    ]);
    expect(Object.entries(births.forward)).toEqual(expected);
  });

  it('that is born in the backward pass is looked for where it was: among the operators that are named', () => {
    const loss = "the cross-entropy, the head's linear or layer norm ln_f (ln_f)";
    const layer = (i: number, above: string) => {
      const down = `${above} or linear mlp.c_proj of layer ${i} (h.${i}.mlp.c_proj)`;
      const up = `linear mlp.c_proj, gelu or linear mlp.c_fc of layer ${i} (h.${i}.mlp.c_fc)`;
      const projection = `layer norm ln_2 or linear attn.c_proj of layer ${i} (h.${i}.attn.c_proj)`;
      const attention = `linear attn.c_proj, attention or linear attn.c_attn of layer ${i} (h.${i}.attn.c_attn)`;
      return [
        ['layer_norm_backward', down],
        ['linear_backward_weight', down],
        ['linear_backward_input_gelu', up],
        ['linear_backward_weight', up],
        ['linear_backward_input', `linear mlp.c_fc or layer norm ln_2 of layer ${i} (h.${i}.ln_2)`],
        ['layer_norm_backward', projection],
        ['linear_backward_weight', projection],
        ['linear_backward_input', attention],
        ['attention_backward', attention],
        ['linear_backward_weight', attention],
        ['linear_backward_input', `linear attn.c_attn or layer norm ln_1 of layer ${i} (h.${i}.ln_1)`],
      ];
    };
    const expected = [
      ['cross_entropy_backward', loss],
      ['linear_backward_weight', "the head's linear or the embedding (wte)"],
      ['linear_backward_input', loss],
      ...layer(1, 'layer norm ln_f'),
      ...layer(0, 'layer norm ln_1 of layer 1'),
      ['layer_norm_backward', 'layer norm ln_1 of layer 0 or the embedding (wpe)'],
      ['embedding_backward', 'layer norm ln_1 of layer 0 or the embedding (wpe)'],
    ];
    const said =
      /^INVALID_STATE NaN or Inf in inner step 1, first in the backward pass of (.*), in the gradient of tensor transformer\.(.*)\.weight$/;
    const received = Object.entries(births.backward).map(([born, answer]) => [
      born,
      answer.replace(said, '$1 ($2)'),
    ]);
    expect(received).toEqual(expected.map(([operator, words], i) => [`${i} ${operator}`, words]));
  });
});

describe('memory that is left', () => {
  const GiB = 1024 ** 3;
  /** A machine of 64 GiB, 60 of them free. */
  const meminfo = (swapFree = 0) => ({
    'proc/meminfo': `MemTotal: ${64 * 1024 ** 2} kB\nMemAvailable: ${60 * 1024 ** 2} kB\nSwapFree: ${swapFree * 1024 ** 2} kB\n`,
  });
  const left = async (held: number, files: Record<string, string>) => {
    const folder = temporaryFolder();
    for (const [path, text] of Object.entries({ ...meminfo(), ...files })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return (await runProgram<number>(program, 'memory', folder, held * GiB)) / GiB;
  };
  const group = (limit: number | 'max', current: number, inactive: number) => ({
    'sys/fs/cgroup/memory.max': `${limit === 'max' ? limit : limit * GiB}\n`,
    'sys/fs/cgroup/memory.current': `${current * GiB}\n`,
    'sys/fs/cgroup/memory.stat': `anon 1\nactive_file 2\ninactive_file ${inactive * GiB}\nslab 3\n`,
  });

  it('is what the machine has, less what the engine holds, where no group limits it', async () => {
    expect(await left(0, {})).toBe(60);
    expect(await left(20, {})).toBe(44);
    expect(await left(20, group('max', 30, 0))).toBe(44);
    expect(await left(20, meminfo(4))).toBe(48);
  });

  it('is not known, and no reason to refuse, where the system tells nothing', async () => {
    expect(await left(20, { 'proc/meminfo': 'MemTotal: 1024 kB\n' })).toBe(2 ** 63 / GiB);
  });

  it('is what the group leaves: others of the group count, files that can be dropped do not', async () => {
    expect(await left(0, group(16, 6, 0))).toBe(10);
    expect(await left(2, group(16, 6, 3))).toBe(13);
  });

  it('counts what the engine was promised and has not touched, also where the group tells nothing of its use', async () => {
    expect(await left(9, group(16, 6, 0))).toBe(7);
    expect(await left(9, { 'sys/fs/cgroup/memory.max': `${16 * GiB}\n` })).toBe(7);
  });

  it('reads the files of the first version of control groups too', async () => {
    const old = {
      'sys/fs/cgroup/memory/memory.limit_in_bytes': `${16 * GiB}\n`,
      'sys/fs/cgroup/memory/memory.usage_in_bytes': `${6 * GiB}\n`,
      'sys/fs/cgroup/memory/memory.stat': `cache 1\ntotal_inactive_file ${1 * GiB}\n`,
    };
    expect(await left(2, old)).toBe(11);
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
