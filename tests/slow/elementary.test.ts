/** exp, log, erf and tanh over all 2^32 inputs, on all processors: six and a half minutes on two that were idle, when it had two tests for
 *  everything; not timed since. `npm run test:slow -- elementary -t erf` is one function alone; npm test takes every 257th and every 509th input. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildPrograms, runProgram } from '../helpers/nativeProgram.js';

const program = 'panthalia_canon_elementary';
beforeAll(() => buildPrograms(program));

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

describe.each(table)('$name, over every one of the 2^32 inputs', ({ name, ulp, percent, digest }) => {
  it('has the digest of the document on every instruction set', async () => {
    const digests = await runProgram<Record<string, Record<string, string>>>(program, 'digests', 1, name);
    expect(Object.keys(digests)).toContain('scalar');
    for (const [isa, answer] of Object.entries(digests)) expect(answer, isa).toEqual({ [name]: digest });
  });

  it('is as near to the truth as the document says', async () => {
    const accuracy = await runProgram<
      Record<string, { worst: number; wrongShare: number; impossible: number; count: number }>
    >(program, 'accuracy', 1, name);
    const { worst, wrongShare, impossible, count } = accuracy[name] as (typeof accuracy)[string];
    expect(impossible).toBe(0);
    expect(worst).toBeLessThanOrEqual(ulp);
    expect((100 * wrongShare).toFixed(2)).toBe(percent);
    // All but 2 (2^23 - 1) patterns are numbers; logarithms of negative ones are none.
    expect(count).toBe(name === 'log' ? 2 ** 31 - 2 ** 23 + 2 : 2 ** 32 - 2 ** 24 + 2);
  });
});
