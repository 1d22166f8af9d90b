import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Interruption } from '../../../src/cli/io.js';
import { problemOf } from '../../../src/cli/problem.js';

test("a wait of Node's own that Ctrl-C ended is an interruption, not a mistake of ours", async () => {
  const signal = AbortSignal.abort(new Interruption('SIGINT'));
  const thrown = await delay(1_000, undefined, { signal }).catch((error: unknown) => error);
  expect(problemOf(thrown)).toMatchObject({ exitCode: 130, message: 'Interrupted.', stack: undefined });
  const other = await delay(1_000, undefined, { signal: AbortSignal.abort() }).catch(
    (error: unknown) => error,
  );
  expect(problemOf(other)).toMatchObject({ exitCode: 1, code: 'internal' });
});

test('a mistake of ours tells where it was about, without the key of a provider', () => {
  const request =
    'server response 404 (info={ "requestUrl": "https://me:hush@node.example:8545/v2/hush?key=hush" })';
  const problem = problemOf(new Error(request));
  expect(`${problem?.message} ${problem?.stack} ${problemOf(request)?.message}`).not.toContain('hush');
  expect(problem?.message).toBe(
    'Error: server response 404 (info={ "requestUrl": "https://node.example:8545" })',
  );
  const sentence = 'No answer (WSS://node.example/v2/(hush)/hush, or HTTPS://me:hush@node.example).';
  expect(problemOf(sentence)?.message).toBe('No answer (WSS://node.example, or https://node.example).');
});
