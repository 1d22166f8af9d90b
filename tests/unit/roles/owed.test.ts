import { expect, test } from 'vitest';
import type { Hex32 } from '../../../src/protocol/task.js';
import { owedBy, riskOf, sentenceOf } from '../../../src/roles/owed.js';
import { alice, bob, carol, genesis, History } from '../../helpers/facts.js';

const owed = (history: History, self = alice) => owedBy(history.view, history.head, self);
const duties = (history: History, self = alice) => owed(history, self).map(({ duty }) => duty);
const told = (history: History, self = alice) =>
  sentenceOf(owed(history, self), (seconds) => String(seconds - genesis));
const terms = { solverStake: 100n, seatBond: 40n, livenessBps: 1_000 };

test('a task is owed from its draw until nobody can ask about its result any more', () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  expect(owed(history)).toEqual([]);
  history.assign(taskId, alice);
  const [before] = owed(history);
  expect(before).toMatchObject({ duty: 'solution', until: genesis + 12 });
  expect(duties(history, bob)).toEqual([]);
  history.submit(taskId, alice, 10);
  const [after] = owed(history);
  expect(after).toMatchObject({ duty: 'result', until: genesis + 13, key: before?.key });
  expect(duties(history.pass(10))).toEqual(['result']);
  expect(owed(history.pass(1))).toEqual([]);
});

test('what somebody has begun about a result keeps it owed after its window', () => {
  const history = new History();
  const [demanded, disputed, checked] = history.post([0, 1, 2]) as [Hex32, Hex32, Hex32];
  for (const taskId of [demanded, disputed, checked]) history.assign(taskId, alice).submit(taskId, alice, 9);
  const answerBy = history.clock.now + 40;
  history.tell({ type: 'LeavesDemanded', taskId: demanded, by: bob, fee: 10n, answerBy });
  history.dispute(disputed, bob).drawChecker(checked, bob, 30).pass(20);
  expect(owed(history).map(({ taskId }) => taskId)).toEqual([disputed, checked, demanded]);
  history.settle(disputed, 'valid', 1);
  history.tell({ type: 'TaskAccepted', taskId: disputed, solver: alice });
  history.tell({ type: 'LeavesPublished', taskId: demanded, by: alice, leaves: [], challengeBy: answerBy });
  history.tell({
    ...{ type: 'CheckClosed', taskId: checked, checker: bob },
    ...{ outcome: 'passed', paid: 10n, lost: 0n },
  });
  expect(owed(history).map(({ taskId, until }) => [taskId, until])).toEqual([[demanded, answerBy]]);
});

test('a drawn check is owed until it is over, a seat until it has voted, a dispute of our own until it is settled', () => {
  const history = new History();
  const [checked, disputed] = history.post([0, 1]) as [Hex32, Hex32];
  for (const taskId of [checked, disputed]) history.assign(taskId, alice).submit(taskId, alice, 60);
  history.drawChecker(checked, bob, 10).dispute(disputed, carol).seat(disputed, 1, [bob, bob, carol], 10);
  expect(duties(history, bob).sort()).toEqual(['check', 'vote', 'vote']);
  expect(riskOf(owed(history, bob), terms)).toEqual({ certain: 120n, possible: 0n });
  expect(duties(history, carol).sort()).toEqual(['case', 'vote']);
  const answerBy = history.clock.now + 20;
  history.tell({ type: 'CheckCommitted', taskId: checked, checker: bob, answerBy });
  history.commit(disputed, 1, 0, bob).commit(disputed, 1, 1, bob).openReveal(disputed, 1, 5);
  history.reveal(disputed, 1, 0, bob, 'valid').reveal(disputed, 1, 1, bob, 'valid');
  expect(owed(history, bob)).toMatchObject([{ duty: 'check', committed: true, until: answerBy }]);
  history.settle(disputed, 'valid', 1);
  history.tell({
    ...{ type: 'CheckClosed', taskId: checked, checker: bob },
    ...{ outcome: 'passed', paid: 10n, lost: 0n },
  });
  expect(owed(history, bob)).toEqual([]);
  expect(owed(history, carol)).toEqual([]);
});

test('a dispute is owed from its commitment, with its bond, until it is opened or can not be any more', () => {
  const history = new History();
  const [wrong, later] = history.post([0, 1]) as [Hex32, Hex32];
  history.assign(wrong, alice).submit(wrong, alice, 20); // until 23
  const commitment = `0x${'c0'.repeat(32)}` as const;
  history.tell({ type: 'DisputeCommitted', commitment, disputer: bob, bond: 30n });
  // In whose window it was not made.
  history.assign(later, alice).submit(later, alice, 90);
  const [pin] = owed(history, bob);
  expect(pin).toMatchObject({ duty: 'pin', until: genesis + 23, bond: 30n });
  expect(riskOf(owed(history, bob), terms)).toEqual({ certain: 30n, possible: 0n });
  expect(told(history, bob)).toBe('a dispute to be opened by 23');
  expect(duties(history, carol)).toEqual([]);
  const opened = new History();
  opened.facts.push(...history.facts);
  opened.block = history.block;
  expect(duties(history.pass(30), bob)).toEqual([]);
  opened.dispute(wrong, bob).tell({ type: 'CommitmentOpened', commitment, caseId: wrong });
  expect(owed(opened, bob)).toMatchObject([{ duty: 'case', key: pin?.key }]);
});

test('one sentence says it all, with what it costs to leave', () => {
  const history = new History();
  const [first, second, third] = history.post([0, 1, 2]) as [Hex32, Hex32, Hex32];
  history.assign(first, alice).submit(first, alice, 50); // until 53
  history.assign(second, alice).submit(second, alice, 60); // until 65
  history.assign(third, bob).submit(third, bob, 60).drawChecker(third, alice, 20); // until 28
  expect(told(history)).toBe(
    `the check on task ${third.slice(0, 10)} to be made by 28; 2 results in the window until 65`,
  );
  expect(riskOf(owed(history), terms)).toEqual({ certain: 40n, possible: 200n });
});
