import { expect, test } from 'vitest';
import { createEngineTurns } from '../../../src/roles/engineTurns.js';

test('one call at a time, and the most urgent one waiting goes next', async () => {
  const turns = createEngineTurns();
  const order: string[] = [];
  let running = 0;
  const call = (name: string) => async () => {
    running += 1;
    expect(running).toBe(1);
    order.push(name);
    await Promise.resolve();
    running -= 1;
  };
  const solve = turns.turnOf('solve');
  const audit = turns.turnOf('audit');
  const verify = turns.turnOf('verify');
  await Promise.all([
    solve(call('solve 1')),
    solve(call('solve 2')),
    solve(call('solve 3')),
    audit(call('audit 1')),
    verify(call('verify')),
    audit(call('audit 2')),
  ]);
  expect(order).toEqual(['solve 1', 'verify', 'audit 1', 'audit 2', 'solve 2', 'solve 3']);
});

test('a call that fails gives the engine back', async () => {
  const turn = createEngineTurns().turnOf('solve');
  await expect(turn(() => Promise.reject(new Error('out of memory')))).rejects.toThrow('out of memory');
  expect(await turn(async () => 'next')).toBe('next');
});
