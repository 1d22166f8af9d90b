import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requireConformance, requireMatch, runConformance } from '../../src/actions/conformance.js';
import { conformanceDefaults, conformanceDigest, pinnedDigests } from '../../src/engine/conformance.js';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { createTrainer, type Isa, type TrainerOptions } from '../../src/engine/trainer.js';
import { options } from '../helpers/engine.js';

const { steps, shortSteps, seed } = conformanceDefaults;
const { signal } = new AbortController();
const say = () => {};

const isas: readonly Isa[] = ['scalar', 'avx2', 'avx512'];
const avx2 = ['avx2', 'fma'];
const needed: Record<Isa, string[]> = {
  scalar: [],
  avx2,
  avx512: [...avx2, 'avx512f', 'avx512dq', 'avx512bw', 'avx512vl'],
};
const flags = /^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
const onCpu = { device: 'cpu', seed, say } as const;

describe('the conformance digest', () => {
  it('is the pinned one after 64 steps', async () => {
    expect(await conformanceDigest({ ...onCpu, threads: 2, steps })).toBe(pinnedDigests[steps]);
  });

  // By what the system says of the processor, not the engine: one that it overlooked is a failure here. Other tests take those that it has.
  for (const isa of isas) {
    const missing = needed[isa].filter((flag) => !flags.includes(flag));
    const why = missing.length === 0 ? '' : `: skipped, this processor has no ${missing.join(', ')}`;
    it.skipIf(missing.length > 0)(
      `is the pinned one with ${isa} and any number of threads${why}`,
      async () => {
        for (const threads of isa === 'scalar' ? [1, 2] : [1, 2, 3, 8]) {
          const report = await runConformance({ ...onCpu, isa, threads, steps: shortSteps });
          expect(report).toMatchObject({ isa, threads, matches: true, digest: pinnedDigests[shortSteps] });
        }
      },
    );
  }

  it('depends on seed and steps, and has nothing to match where nothing is pinned', async () => {
    const report = await runConformance({ ...onCpu, threads: 1, seed: 1, steps: 1 });
    expect(report).toMatchObject({ expected: null, matches: null, seed: 1, steps: 1 });
    const other = await conformanceDigest({ ...onCpu, threads: 1, seed: 2, steps: 1 });
    expect(other).not.toBe(report.digest);
    requireMatch(report, '');
  });

  it('is not given away when it differs: expected, received and the next command', async () => {
    const other = await conformanceDigest({ ...onCpu, threads: 1, seed: 1, steps: shortSteps });
    const refused = requireConformance({ device: 'cpu', threads: 1 }, { expected: other, say, signal });
    await expect(refused).rejects.toMatchObject({
      family: 'check',
      exitCode: 5,
      code: 'conformance.differs',
      details: { expected: other, received: pinnedDigests[shortSteps] },
      next: 'panthalia conformance',
    });
    await requireConformance({ device: 'cpu', threads: 1 }, { say, signal });
  });

  it('can be given up', async () => {
    const stop = new AbortController();
    const running = conformanceDigest({
      ...{ ...onCpu, threads: 1, steps, signal: stop.signal },
      onStep: () => stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'engine.aborted' });
  });
});

describe('an instruction set', () => {
  const canon = (isa: Isa) => createTrainer(options({ opset: 'canon-f32-v1', isa }));

  it('that the CPU lacks is refused with what it has, and the process goes on', async () => {
    const { isa: present } = (await loadAddon()).buildInfo();
    expect(isas.slice(0, present.length)).toEqual(present);
    for (const isa of [...isas.slice(present.length), 'sse9' as Isa]) {
      await expect(canon(isa)).rejects.toMatchObject({
        code: 'engine.value_out_of_range',
        message: `isa must be one that this CPU has (${present.join(', ')}), received ${isa}`,
      });
    }
    await (await canon('scalar')).dispose();
  });

  it('and a precision belong to one opset each', async () => {
    await expect(createTrainer(options({ opset: 'torch', isa: 'avx2' }))).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
      message: 'isa is a choice of opset canon-f32-v1, received avx2 for torch',
    });
    const canonical = options({ opset: 'canon-f32-v1', precision: 'bf16' });
    await expect(createTrainer(canonical)).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
      message: 'precision is a choice of opset torch, received bf16 for canon-f32-v1',
    });
    const unknown = { opset: 'torch', precision: 'fp16' } as unknown as TrainerOptions;
    await expect(createTrainer(options(unknown))).rejects.toMatchObject({
      code: 'engine.value_out_of_range',
      message: 'precision must be fp32 or bf16, received fp16',
    });
  });
});
