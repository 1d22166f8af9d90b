import { expect, test } from 'vitest';
import { createSuspension } from '../../../src/dashboard/suspension.js';

test('a dashboard that could not be suspended has its terminal again, and can be suspended the next time', async () => {
  let taken = 0;
  const failures = [new Error('the terminal is gone')];
  const screen = { isTaken: true, take: () => void taken++ };
  const suspension = createSuspension({
    screen,
    beside: async () => {
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
    },
    canBeSuspended: false,
  });
  await expect(suspension.suspend()).rejects.toThrow('the terminal is gone');
  expect(taken).toBe(1);
  await suspension.suspend();
  expect(taken).toBe(2);
  suspension.close();
});
