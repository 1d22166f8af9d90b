import { expect, test } from 'vitest';
import type { Address, Hex32 } from '../../../src/protocol/task.js';
import { isDueAgain } from '../../../src/roles/disputer.js';
import { alice, bob, carol, History } from '../../helpers/facts.js';

/** Bob's or Carol's case that a reorganisation has taken back, with 80 s of its window left. */
function gone(disputer: Address) {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 80);
  const task = history.view.tasks.get(taskId);
  if (task === undefined) throw new Error('the task is not there');
  const goneAt = history.head.timestamp;
  const isDue = (self: Address) =>
    isDueAgain({ task, step: 0, disputer }, history.view, history.head, { self, goneAt });
  return { history, taskId, isDue };
}

test('whoever has made a case makes it again at once', () => {
  expect(gone(bob).isDue(bob)).toBe(true);
});

test('whoever has joined a case leaves it to its disputer for half of the window, and makes it in the third quarter', () => {
  const { history, isDue } = gone(carol);
  expect(isDue(bob)).toBe(false);
  history.pass(39);
  expect(isDue(bob)).toBe(false);
  history.pass(22);
  expect(isDue(bob)).toBe(true);
});

test('those who have joined a case do not make it again at the same moment', () => {
  const { history, isDue } = gone(carol);
  const [early, late]: Address[] = [`0x00000001${'0'.repeat(32)}`, `0xffffffff${'0'.repeat(32)}`];
  history.pass(41);
  expect([early, late].map((self) => isDue(self as Address))).toEqual([true, false]);
});

test('a case in the place of the one that is gone is joined at once', () => {
  const { history, taskId, isDue } = gone(carol);
  history.dispute(taskId, carol);
  expect(isDue(bob)).toBe(true);
});
