import { expect, test } from 'vitest';
import { errorIn } from '../../../src/actions/crew.js';
import { problemEnvelope, problemOf } from '../../../src/cli/problem.js';
import { result } from '../../../src/cli/result.js';
import { PanthaliaError } from '../../../src/errors.js';

test('the last words of a child are its error, and no other line of it can end the supervisor', () => {
  const error = new PanthaliaError('network', 'The port is taken.', { code: 'port', next: 'use another' });
  const problem = problemOf(error);
  const line = JSON.stringify(problem && problemEnvelope(problem));
  expect(errorIn(line)).toMatchObject({
    family: 'network',
    message: 'The port is taken.',
    next: 'use another',
  });
  for (let length = 0; length < line.length; length++) expect(errorIn(line.slice(0, length))).toBe(null);
  expect(errorIn(result({ solved: 3 }, 13))).toBe(null);
});
