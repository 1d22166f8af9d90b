import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { within } from '../../src/deadline.js';

test('a wait that is over leaves no listener behind, and what ended it is told', () => {
  const all = new AbortController();
  const listeners = () => getEventListeners(all.signal, 'abort').length;
  for (let i = 0; i < 20; i += 1) {
    using inTime = within(1000, all.signal);
    expect(inTime.signal.aborted).toBe(false);
    expect(listeners()).toBe(1);
  }
  expect(listeners()).toBe(0);
  const waiting = within(1000, all.signal);
  all.abort(new Error('the end'));
  expect(waiting.signal.reason).toMatchObject({ message: 'the end' });
  expect(within(1000, all.signal).signal.aborted).toBe(true);
});

test('its own time ends it too', async () => {
  const { signal } = within(1);
  await expect.poll(() => signal.aborted).toBe(true);
  expect(signal.reason).toMatchObject({ name: 'TimeoutError', message: 'not within 0.001 s' });
});
