import { beforeAll, describe, expect, it } from 'vitest';
import { buildPrograms, runProgram } from '../helpers/nativeProgram.js';

interface Answer {
  compared: number;
  isas: string[];
  differing: string[];
  outside: string[];
  outError: number;
  dQkvError: number;
}

/** Relative, in the Euclidean norm, of the worst shape. The bits are the document's, so these are facts about its order of
 *  rounding: 1.2e-6 and 3.2e-6, 20 and 50 times the half ulp of binary32. */
const worstOutError = 2e-6;
const worstGradientError = 5e-6;

describe('causal attention of canon-f32-v1', () => {
  let answer: Answer;
  beforeAll(async () => {
    await buildPrograms('panthalia_canon_attention_test');
    answer = await runProgram<Answer>('panthalia_canon_attention_test');
  }, 400_000);

  it('has the bits of loops over the document, forward and backward, on every instruction set, with 1 to 8 threads', () => {
    expect(answer.isas).toContain('scalar');
    expect(answer.compared).toBeGreaterThan(10_000_000);
    expect(answer.differing).toEqual([]);
  });

  it('writes nothing outside of its results and its workspace', () => {
    expect(answer.outside).toEqual([]);
  });

  it('is softmax attention and its gradients, up to rounding', () => {
    expect(answer.outError).toBeLessThan(worstOutError);
    expect(answer.dQkvError).toBeLessThan(worstGradientError);
  });
});
