import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import stateTree from '../fixtures/stateTree.json' with { type: 'json' };
import { buildPrograms, cmakeFolder, runProgram } from '../helpers/nativeProgram.js';

const hashTest = <Answer>(...args: (string | number)[]) => runProgram<Answer>('panthalia_hash_test', ...args);

beforeAll(() => buildPrograms('panthalia_hash_test'), 300_000);

describe('SHA-256 of the engine', () => {
  it('compresses alike with every set of instructions that this processor has, in every lane', async () => {
    const compressors = await hashTest<Record<string, { lanes: number; differing: number }>>('compressors');
    expect(Object.keys(compressors)[0]).toBe('portable');
    for (const [name, { differing }] of Object.entries(compressors)) expect(differing, name).toBe(0);
  });

  it('gives the digests of node:crypto, and of many messages at once those of each alone', async () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i * 7919 + Math.floor(i / 251));
    const all = createHash('sha256');
    for (let size = 0; size <= 300; size++) {
      all.update(createHash('sha256').update(bytes.subarray(0, size)).digest());
    }
    expect(await hashTest('digests')).toEqual({
      oneByOne: `0x${all.digest('hex')}`,
      compared: 59040,
      differing: 0,
    });
  });

  it('shares no code for new processors that the linker could give to old ones', () => {
    const object = join(cmakeFolder, 'CMakeFiles/panthalia_engine.dir/native/engine/sha256_x86.cc.o');
    const symbols = execFileSync('nm', ['--demangle', '--defined-only', object], { encoding: 'utf8' });
    const visible = symbols.split('\n').filter((line) => / [A-Zuvw] /.test(line));
    expect(visible.map((line) => /::(\w+)\(/.exec(line)?.[1]).sort()).toEqual([
      'compress_avx2',
      'compress_avx512',
      'compress_sha',
      'compress_sha_pair',
    ]);
  });
});

describe('the state tree of the engine', () => {
  const runs = stateTree.cases.flatMap((expected) =>
    [1, 2, 3, 7].map((threads) => ({ ...expected, threads })),
  );

  it.each(runs)('gives the root of the shared fixture: $threads threads, $model', async (run) => {
    const { vocabSize, blockSize, layers, heads, width } = run.model;
    const answer = await hashTest('state-root', vocabSize, blockSize, layers, heads, width, run.threads);
    expect(answer).toEqual({ stateRoot: run.stateRoot, isNullZero: true });
  });
});
