import { expect, test } from 'vitest';
import type { PanthaliaEvent } from '../../../src/events/types.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { stayUntilDone } from '../../../src/roles/stay.js';
import { alice, bob, History } from '../../helpers/facts.js';
import { hastyMarket } from '../../helpers/hastyMarket.js';

const terms = { solverStake: 100n * 10n ** 18n, seatBond: 40n * 10n ** 18n, livenessBps: 1_000 };

/** A worker with one result in a window of `window` seconds, told to stop; the history in which it waits. */
async function stopped(window: number, seconds: number) {
  const history = new History();
  const [before, after] = [history.post([0]), history.post([1])].flat() as [Hex32, Hex32];
  history.assign(before, alice).submit(before, alice, window);
  const events: PanthaliaEvent[] = [];
  const context = { market: hastyMarket(history), emit: (event: PanthaliaEvent) => void events.push(event) };
  const [taking, hard] = [new AbortController(), new AbortController()];
  const stay = stayUntilDone(
    { context, self: alice, terms, seconds, newestBlock: async () => history.block },
    taking.signal,
    hard.signal,
  );
  expect([stay.isTaken(before), stay.isTaken(after)]).toEqual([true, true]);
  taking.abort();
  const began = history.block;
  await stay.over;
  expect(stay.owing.aborted).toBe(true);
  // Drawn for another one after it was told to stop: that one is for somebody else.
  expect([stay.isTaken(before), stay.isTaken(after)]).toEqual([true, false]);
  const messages = events.flatMap((event) => (event.type === 'alert' ? [event.message] : []));
  return { stayed: history.block - began, messages };
}

test('whoever is told to stop stays until nobody can ask about its result, and takes no new task', async () => {
  const { stayed, messages } = await stopped(20, 600);
  expect(stayed).toBeGreaterThanOrEqual(15);
  expect(stayed).toBeLessThanOrEqual(25);
  expect(messages).toEqual([
    expect.stringMatching(
      /^Still owed: 1 result in the window until [\d:]{8}\. Staying until [\d:]{8}, or a bit longer\. A second Ctrl-C leaves, which risks 100 PAN if somebody asks about the results\.$/,
    ),
  ]);
});

/** A worker that is told to stop with a result in its window, which is drawn for a check in that moment. */
function stoppedBeforeCheck() {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 20);
  const messages: string[] = [];
  const emit = (event: PanthaliaEvent) => {
    if (event.type !== 'alert') return;
    if (messages.push(event.message) === 1) history.drawChecker(taskId, bob, 100);
  };
  const [taking, hard] = [new AbortController(), new AbortController()];
  const context = { market: hastyMarket(history), emit };
  const stay = stayUntilDone(
    { context, self: alice, terms, seconds: 30, newestBlock: async () => history.block },
    taking.signal,
    hard.signal,
  );
  taking.abort();
  const pass = async (blocks: number) => {
    const end = history.block + blocks;
    while (history.block < end && !stay.owing.aborted) await new Promise(setImmediate);
  };
  return { ...{ history, taskId, stay, hard, messages }, pass };
}

test('a result that is drawn for a check after the signal is stayed for, though that lasts longer than it seemed', async () => {
  const { history, taskId, stay, messages, pass } = stoppedBeforeCheck();
  await pass(60);
  expect(stay.owing.aborted).toBe(false);
  history.tell({
    ...{ type: 'CheckClosed', taskId, checker: bob },
    ...{ outcome: 'passed', paid: 10n, lost: 0n },
  });
  await stay.over;
  expect(messages).toEqual([expect.stringMatching(/Staying until/)]);
});

test('what is still owed when the time is over is told again', async () => {
  const { stay, hard, messages, pass } = stoppedBeforeCheck();
  await pass(60);
  hard.abort(new Error('the time is over'));
  await stay.over;
  expect(stay.owing.aborted).toBe(true);
  expect(messages).toEqual([
    expect.stringMatching(/Staying until/),
    expect.stringMatching(/^Still owed: 1 result .*\. Leaving, which risks 100 PAN if somebody asks/),
  ]);
});

test('what ended in the blocks since the last look is not told as owed', async () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 20);
  const events: PanthaliaEvent[] = [];
  const context = { market: hastyMarket(history), emit: (event: PanthaliaEvent) => void events.push(event) };
  const newestBlock = async () => {
    history.tell({ type: 'TaskAccepted', taskId, solver: alice });
    return history.block;
  };
  const [taking, hard] = [new AbortController(), new AbortController()];
  const options = { context, self: alice, terms, seconds: 600, newestBlock };
  const stay = stayUntilDone(options, taking.signal, hard.signal);
  taking.abort();
  await stay.over;
  expect(events).toEqual([]);
});

test('what lasts longer than it may stay is told, and not waited for', async () => {
  const { stayed, messages } = await stopped(2_000, 60);
  expect(stayed).toBeLessThanOrEqual(5);
  expect(messages).toEqual([expect.stringMatching(/\. Leaving, which risks 100 PAN if somebody asks/)]);
});

test('whoever is told to leave at once leaves, and says nothing', async () => {
  const { stayed, messages } = await stopped(20, 0);
  expect([stayed <= 5, messages]).toEqual([true, []]);
});
