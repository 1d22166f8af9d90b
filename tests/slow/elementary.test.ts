/** exp, log, erf and tanh over all 2^32 inputs: six and a half minutes on two cores. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { buildPrograms, runProgram } from '../helpers/nativeProgram.js';

beforeAll(() => buildPrograms('panthalia_canon_elementary'));

/** The table of section 3: name, at most so many ulp, so many percent not rounded right, digest. */
const table = Array.from(
  readFileSync(new URL('../../docs/opset-canon-f32-v1.md', import.meta.url), 'utf8').matchAll(
    /^ {4}(exp|log|erf|tanh) +([\d.]+) ulp +([\d.]+) % +([0-9a-f]{64})$/gm,
  ),
  ([, name, ulp, percent, digest]) => ({
    name: name as string,
    ulp: Number(ulp),
    percent,
    digest: `0x${digest}`,
  }),
);

it('is in the document', () => {
  expect(table.map(({ name }) => name)).toEqual(['exp', 'log', 'erf', 'tanh']);
});

it('gives the digests of the document on every instruction set', async () => {
  const digests = await runProgram<Record<string, Record<string, string>>>(
    'panthalia_canon_elementary',
    'digests',
    1,
  );
  const expected = Object.fromEntries(table.map(({ name, digest }) => [name, digest]));
  for (const [isa, answer] of Object.entries(digests)) expect(answer, isa).toEqual(expected);
});

it('is as near to the truth as the document says', async () => {
  const accuracy = await runProgram<
    Record<string, { worst: number; wrongShare: number; impossible: number }>
  >('panthalia_canon_elementary', 'accuracy', 1);
  for (const { name, ulp, percent } of table) {
    const { worst, wrongShare, impossible } = accuracy[name] as (typeof accuracy)[string];
    expect(impossible, name).toBe(0);
    expect(worst, name).toBeLessThanOrEqual(ulp);
    expect((100 * wrongShare).toFixed(2), name).toBe(percent);
  }
});
