/** Opset canon-f32-v1 gives one answer, whatever computes it. tests/engine/secondOpinion.test.ts says that it is the document's. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NativeIsa } from '../../src/engine/addon.d.ts';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { createTrainer, type TrainerOptions } from '../../src/engine/trainer.js';
import { fp32Bits } from '../../src/protocol/spec.js';
import { modelTensors, parameterCount } from '../../src/protocol/stateTree.js';
import type { ModelShape } from '../../src/protocol/task.js';
import {
  history,
  initialised,
  type Machine,
  type Start,
  slice,
  stepBatch,
  tiny,
} from '../helpers/canonHistory.js';
import { parameterFile, scalars, seed, temporaryFolder, trainer } from '../helpers/engine.js';

/** Every instruction set of this CPU; these numbers of threads on the fastest, one on the others: tests/slow takes every pair. */
async function machines(onFastest: number[]): Promise<[Machine, ...Machine[]]> {
  const isas = (await loadAddon()).buildInfo().isa;
  const fastest = isas.at(-1) as NativeIsa;
  const others = isas.filter((isa) => isa !== fastest).map((isa) => ({ isa, threads: 2 }));
  return [
    { isa: fastest, threads: 1 },
    ...onFastest.map((threads) => ({ isa: fastest, threads })),
    ...others,
  ];
}

async function expectOneHistory(
  of: TrainerOptions,
  steps: number,
  { start = initialised, threads = [2, 3, 4, 8] } = {},
): Promise<void> {
  const [first, ...others] = await machines(threads);
  const expected = await history({ ...of, ...first }, steps, start);
  for (const machine of others) {
    expect({ ...machine, history: await history({ ...of, ...machine }, steps, start) }).toEqual({
      ...machine,
      history: expected,
    });
  }
}

/** theta as a function of the number of an element and its tensor. */
async function startFrom(
  model: ModelShape,
  parameterOf: (i: number, tensor: { name: string; shape: number[] }) => number,
): Promise<Start> {
  const theta = new Float32Array(parameterCount(model));
  for (const tensor of modelTensors(model)) {
    for (let i = 0; i < tensor.length; i++) theta[tensor.offset + i] = parameterOf(i, tensor);
  }
  const path = await parameterFile(model, join(temporaryFolder(), 'theta'), theta);
  return (made) => made.loadParameters(path);
}

/** Of magnitude one, both signs, no two alike. */
const spread = (i: number) => Math.sin(i * 12.9898 + 1);

describe('every instruction set and 1, 2, 3, 4 and 8 threads give the same bits', () => {
  it('over 500 steps of a tiny model', { timeout: 120_000 }, () => expectOneHistory(tiny, 500));

  // Where a step is long enough to be shared, 1 and 3 threads here, and all of them in tests/slow.
  it('over 20 steps of a layer as wide as GPT-2', { timeout: 480_000 }, () =>
    expectOneHistory(slice, 20, { threads: [3] }),
  );

  it('from parameters among the subnormals', async () => {
    const start = await startFrom(tiny.model, (i, { shape }) =>
      shape.length === 1 ? 1 : spread(i) * 2 ** -128,
    );
    await expectOneHistory(tiny, 12, { start });
  });

  it('from zeros of both signs', async () => {
    const start = await startFrom(tiny.model, (i, { shape }) =>
      shape.length === 1 ? 1 : i % 3 === 0 ? -0 : 0,
    );
    await expectOneHistory(tiny, 12, { start });
  });

  it('from gradients whose squares are near the end of fp32', async () => {
    const huge = (i: number, { name, shape }: { name: string; shape: number[] }) =>
      shape.length === 1 ? (name === 'transformer.ln_f.weight' ? 2 ** 54 : 1) : spread(i);
    const start = await startFrom(tiny.model, huge);
    await using made = await createTrainer(tiny);
    await start(made);
    const { gradientNorm } = await made.innerStep(stepBatch(1, tiny), scalars(1));
    expect(gradientNorm).toBeGreaterThan(1e15);
    await expectOneHistory(tiny, 12, { start });
  });
});

describe('a number that is none', () => {
  /** Parameters of magnitude 0.02, but for one tensor's. */
  const startWith = (wrong: string, magnitude: number) =>
    startFrom(tiny.model, (i, { name, shape }) => {
      if (name === wrong) return spread(i) * magnitude;
      return shape.length === 1 ? 1 : 0.02 * spread(i);
    });
  const step = async (start: Start, k = scalars(1)) => {
    const made = await trainer(tiny);
    await start(made);
    await expect(made.innerStep(stepBatch(1, tiny), k)).rejects.toMatchObject({
      code: 'engine.invalid_state',
    });
    return made.innerStep(stepBatch(1, tiny), scalars(2)).catch(({ message }) => message);
  };

  it.each([
    ['transformer.h.0.ln_1.weight', 'layer norm ln_1 of layer 0, in tensor a (46, 22)'],
    ['transformer.h.1.attn.c_attn.weight', 'linear attn.c_attn of layer 1, in tensor qkv (46, 66)'],
    ['transformer.h.0.mlp.c_fc.weight', 'linear mlp.c_fc of layer 0, in tensor u (46, 88)'],
    ['transformer.ln_f.weight', 'layer norm ln_f, in tensor layerNorm(x, ln_f) (46, 22)'],
  ])(
    'in the forward pass ends the state, with the step, the operator and the tensor: %s',
    async (wrong, place) => {
      const message = await step(await startWith(wrong, 3e38));
      expect(message).toBe(`NaN or Inf in inner step 1, first in ${place}`);
    },
  );

  // The forward pass shrinks by as much as the backward pass grows.
  it.each([
    [
      'linear mlp.c_proj, gelu or linear mlp.c_fc of layer 1',
      'h.1.mlp.c_fc.weight',
      { 'h.1.ln_2.weight': 1e38, 'h.1.mlp.c_fc.weight': 1e-39 },
    ],
    [
      'linear mlp.c_fc or layer norm ln_2 of layer 1',
      'h.1.ln_2.weight',
      { 'h.1.ln_2.weight': 1e-38, 'h.1.mlp.c_fc.weight': 3e37 },
    ],
  ] as [string, string, Record<string, number>][])(
    'in the backward pass ends the state, with the step, the operator and the tensor: %s',
    async (operator, tensor, magnitudes) => {
      const start = await startFrom(tiny.model, (i, { name, shape }) => {
        const magnitude =
          name === 'transformer.ln_f.weight' ? 1e6 : magnitudes[name.replace('transformer.', '')];
        return shape.length === 1 ? (magnitude ?? 1) : (magnitude ?? 0.02) * spread(i);
      });
      expect(await step(start)).toBe(
        `NaN or Inf in inner step 1, first in the backward pass of ${operator}, in the gradient of tensor transformer.${tensor}`,
      );
    },
  );

  it('in the gradient norm, whose squares are beyond fp32 though no gradient is, names the tensor that is largest', async () => {
    const start = await startFrom(tiny.model, (i, { name, shape }) => {
      if (name === 'transformer.ln_f.weight') return 1e38;
      if (name === 'transformer.wte.weight') return spread(i) * 1e-36;
      return shape.length === 1 ? 1 : 0.02 * spread(i);
    });
    expect(await step(start)).toBe(
      'NaN or Inf in inner step 1, first in the gradient norm: squares are beyond fp32, those of tensor transformer.wte.weight most of all',
    );
  });

  it('in the update names the tensor of AdamW', async () => {
    const scale = { ...scalars(1), stepSize: fp32Bits(3e38), secondMomentScale: fp32Bits(1e-30) };
    expect(await step(initialised, scale)).toBe(
      'NaN or Inf in the state after inner step 1, first in AdamW of tensor transformer.wte.weight',
    );
  });
});

describe('bad settings', () => {
  it.each([0, 1025])('%i threads are refused with the range', async (threads) => {
    await expect(createTrainer({ ...tiny, threads })).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
      message: `threads must be from 1 to 1024, received ${threads}`,
    });
  });

  it('trainers with other numbers of threads and of the other opset live side by side', async () => {
    const [one, three, torch] = [
      await trainer({ ...tiny, threads: 1 }),
      await trainer({ ...tiny, threads: 3 }),
      await trainer({ ...tiny, opset: 'torch', threads: 1 }),
    ];
    const all = [one, three, torch];
    await Promise.all(all.map((made) => made.initialise(seed)));
    await Promise.all(all.map((made) => made.innerStep(stepBatch(1, tiny), scalars(1))));
    expect(await three.stateRoot()).toBe(await one.stateRoot());
  });
});
