import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/loadAddon.js';
import canon from '../fixtures/canon.json' with { type: 'json' };
import { buildPrograms, cmakeFolder, runProgram } from '../helpers/nativeProgram.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

beforeAll(() => buildPrograms('panthalia_canon_test', 'panthalia_canon_elementary'), 300_000);

type PerIsa<T> = Record<string, T>;

describe('the kernels of canon-f32-v1', () => {
  it('give on every instruction set what loops over the document give, in every bit', async () => {
    const answers = await runProgram<PerIsa<{ compared: number; differing: string[] }>>(
      'panthalia_canon_test',
      'operators',
    );
    expect(Object.keys(answers).sort()).toEqual([...(await loadAddon()).buildInfo().isa].sort());
    for (const { compared, differing } of Object.values(answers)) {
      expect(differing).toEqual([]);
      expect(compared).toBeGreaterThan(500_000);
    }
  });

  it('refuse threads that round, flush or trap otherwise, as do initialisation and outer step', async () => {
    const places = ['caller', 'step', 'poolCaller', 'worker', 'initialisation', 'outerStep'] as const;
    const { ordinary, flags, ...modes } = await runProgram<
      Record<string, Record<(typeof places)[number], string>>
    >('panthalia_canon_test', 'mode');
    const silent = Object.fromEntries(places.map((place) => [place, '']));
    expect([ordinary, flags]).toEqual([silent, silent]);
    expect(Object.keys(modes)).toEqual([
      'flushToZero',
      'denormalsAreZero',
      'towardZero',
      'down',
      'up',
      'traps',
    ]);
    expect(modes.flushToZero?.caller).toBe(
      'VALUE_OUT_OF_RANGE the floating-point mode (MXCSR) must be 0x1f80 (round to nearest, keep subnormals, no traps), ' +
        'received 0x9f80: a library in this process has changed it',
    );
    for (const answers of Object.values(modes)) {
      for (const place of places) {
        expect(answers[place], place).toMatch(/^VALUE_OUT_OF_RANGE .* received 0x/);
      }
    }
  });
});

describe('exp, log, erf and tanh', () => {
  type Digests = Record<'exp' | 'log' | 'erf' | 'tanh', string>;

  it('give on every instruction set what the naive implementation gives', async () => {
    const { stride, ...expected } = canon.elementary;
    const digests = await runProgram<PerIsa<Digests>>('panthalia_canon_elementary', 'digests', stride);
    for (const answer of Object.values(digests)) expect(answer).toEqual(expected);
  });

  it('agree between instruction sets on 17 million inputs of all magnitudes', async () => {
    const { scalar, ...others } = await runProgram<PerIsa<Digests>>(
      'panthalia_canon_elementary',
      'digests',
      257,
    );
    for (const answer of Object.values(others)) expect(answer).toEqual(scalar);
  });

  it('are as near to the truth as the document says, with the right signs, zeros, infinities and NaN', async () => {
    const bounds = { exp: 0.9, log: 0.82, erf: 1.3, tanh: 1.01 };
    const accuracy = await runProgram<Record<string, { worst: number; impossible: number }>>(
      'panthalia_canon_elementary',
      'accuracy',
      509,
    );
    for (const [name, bound] of Object.entries(bounds)) {
      expect(accuracy[name]?.impossible, name).toBe(0);
      expect(accuracy[name]?.worst, name).toBeLessThan(bound);
    }
  });
});

describe('an object compiled for one instruction set', () => {
  const objects = ['scalar', 'avx2', 'avx512'].map((isa) => [
    isa,
    join(cmakeFolder, `CMakeFiles/panthalia_canon.dir/native/kernels/canon/isa_${isa}.cc.o`),
  ]) as [string, string][];

  it.each(objects)('shares no code with another that the linker could swap in: %s', (isa, path) => {
    const symbols = execFileSync('nm', ['--demangle', '--defined-only', path], { encoding: 'utf8' });
    const visible = symbols.split('\n').filter((line) => / [A-Zuvw] /.test(line));
    expect(visible.map((line) => line.replace(/^\S+ /, ''))).toEqual([`D panthalia::canon::${isa}::kernels`]);
  });

  it.each([
    // Of AVX: three operands, the letter v.
    ['scalar', /^\s*[0-9a-f]+:\s+v[a-z]|%[yz]mm/m],
    // Of AVX-512: wide registers, masks, registers from 16 on.
    ['avx2', /%zmm|%k[0-7]|%[xy]mm(1[6-9]|2\d|3[01])/m],
  ] as const)('has no instruction that a processor with no more than that lacks: %s', (isa, foreign) => {
    const path = objects.find(([name]) => name === isa)?.[1] as string;
    const code = execFileSync('objdump', ['-d', '--no-show-raw-insn', path], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    expect(code).toMatch(/%xmm0/);
    expect(code.match(foreign)?.[0]).toBeUndefined();
  });
});

describe('what computes results', () => {
  const native = join(root, 'native');
  const sources = [
    'kernels/canon/isa_scalar.cc',
    'kernels/canon/canon_operators.cc',
    'engine/gpt.cc',
    'engine/trainer.cc',
    'engine/outer_step.cc',
    'engine/philox.cc',
    'engine/initialise.cc',
  ];

  it('is compiled without contraction and reassociation, every object of engine and opset', () => {
    const ninja = readFileSync(join(cmakeFolder, 'build.ninja'), 'utf8');
    const objects = [
      ...ninja.matchAll(
        /^build CMakeFiles\/panthalia_(?:engine|canon)\.dir\/native\/(\S+)\.o: (?:.|\n)*?\n {2}FLAGS = (.*)/gm,
      ),
    ].map(([, source, flags]) => ({ source, flags: flags?.split(' ') ?? [] }));
    expect(objects.map(({ source }) => source)).toEqual(expect.arrayContaining(sources));
    for (const { source, flags } of objects) {
      const lastOf = (pattern: RegExp) => flags.filter((flag) => pattern.test(flag)).at(-1);
      expect(lastOf(/^-ffp-contract=/), source).toBe('-ffp-contract=off');
      expect(lastOf(/^-f(no-)?fast-math$|^-Ofast$/), source).toBe('-fno-fast-math');
      expect(
        flags.filter((flag) => /unsafe-math|associative-math|reciprocal-math|rounding-math/.test(flag)),
        source,
      ).toEqual([]);
    }
  });

  it.each(sources)('is refused by its own source where somebody asks for fast math: %s', (source) => {
    const compile = (...flags: string[]) =>
      spawnSync(
        'c++',
        ['-std=c++20', '-I', native, '-fsyntax-only', '-fmax-errors=1', ...flags, join(native, source)],
        { encoding: 'utf8' },
      );
    expect(compile()).toMatchObject({ status: 0, stderr: '' });
    for (const part of ['-ffast-math', '-freciprocal-math']) {
      expect(compile(part).stderr, part).toContain('can not be compiled with -ffast-math, or a part of it');
    }
  });
});
