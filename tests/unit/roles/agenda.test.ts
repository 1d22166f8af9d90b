import { expect, test } from 'vitest';
import type { Address, Hex32 } from '../../../src/protocol/task.js';
import { idleReason, openSeats, ownCases, tasksToAudit, tasksToSolve } from '../../../src/roles/agenda.js';
import { checksToAnswer } from '../../../src/roles/answers.js';
import { checksToMake } from '../../../src/roles/checks.js';
import { alice, bob, carol, History } from '../../helpers/facts.js';

test('a solver works on what it was drawn for, the nearest deadline first, until the deadline', () => {
  const history = new History();
  const [first] = history.post([0], { solveSeconds: 30 }) as [Hex32];
  const [second, other] = history.post([1, 2], { solveSeconds: 10 }) as [Hex32, Hex32];
  history.assign(first, alice).assign(second, alice).assign(other, bob);
  const toSolve = () => tasksToSolve(history.view, history.head, alice).map((task) => task.taskId);
  expect(toSolve()).toEqual([second, first]);
  history.pass(15);
  expect(toSolve()).toEqual([first]);
  history.submit(first, alice);
  expect(toSolve()).toEqual([]);
});

test('exactly one of those who were staked in time audits a submission, and a later one takes over from a convict', () => {
  const history = new History().stake(alice).stake(bob).stake(carol);
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 60);
  const auditors = () =>
    [alice, bob, carol].filter(
      (self) => tasksToAudit(history.view, history.head, { self, policy: 'assigned' }).length > 0,
    );
  const [chosen] = auditors();
  expect(auditors()).toHaveLength(1);
  history.stake('0x00000000000000000000000000000000000000D1');
  expect(auditors()).toEqual([chosen]);
  history.tell({ type: 'PositionJailed', subnetId: 1, role: 'solver', account: chosen ?? alice });
  expect(auditors()).toHaveLength(1);
  expect(auditors()).not.toContain(chosen);
  history.pass(61);
  expect(auditors()).toEqual([]);
});

test('a submission is audited although somebody disputes it: that case may be meant to be lost', () => {
  const history = new History().stake(alice).stake(bob);
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 60).dispute(taskId, carol);
  const due = () => tasksToAudit(history.view, history.head, { self: bob, policy: 'assigned' });
  expect(due().map((task) => task.taskId)).toEqual([taskId]);
  history.settle(taskId, 'valid', 1);
  expect(due()).toHaveLength(1);
  history.tell({ type: 'TaskRejected', taskId, solver: alice });
  expect(due()).toEqual([]);
});

test('a seat waits for its commitment, then for the others, then for its opening', () => {
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice).dispute(caseId, carol).seat(caseId, 1, [bob, carol, bob]);
  const seats = () => openSeats(history.view, history.head, bob);
  expect(seats().map(({ seat, phase, committed }) => [seat, phase, committed])).toEqual([
    [0, 'commit', false],
    [2, 'commit', false],
  ]);
  history.commit(caseId, 1, 0, bob);
  expect(seats().map(({ seat, committed }) => [seat, committed])).toEqual([
    [0, true],
    [2, false],
  ]);
  history.openReveal(caseId, 1);
  expect(seats().map(({ seat, phase }) => [seat, phase])).toEqual([[0, 'reveal']]);
  history.reveal(caseId, 1, 0, bob, 'invalid');
  expect(seats()).toEqual([]);
});

test('a missed deadline closes a seat', () => {
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice).dispute(caseId, carol).seat(caseId, 1, [bob, bob, bob], 5);
  expect(openSeats(history.view, history.head, bob)).toHaveLength(3);
  expect(openSeats(history.pass(6).view, history.head, bob)).toEqual([]);
});

test('idleness has a reason', () => {
  const history = new History();
  const reason = () => idleReason(history.view, 1, alice);
  expect(reason()).toBe('no solver seat staked');
  history.stake(alice);
  expect(reason()).toBe('waiting to be drawn');
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice);
  expect(reason()).toBe('all seats locked until their tasks are final');
  history.tell({ type: 'PositionJailed', subnetId: 1, role: 'solver', account: alice });
  expect(reason()).toBe('convicted: verifying only');
});

test('a check is the checker’s until it is over, also when it has only to be opened after a restart', () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 60).drawChecker(taskId, bob, 5);
  const mine = (self: Address) =>
    checksToMake(history.view, history.head, self).map(({ check }) => check.phase);
  const asked = (self: Address) => checksToAnswer(history.view, history.head, self).length;
  expect([mine(bob), mine(alice), asked(alice)]).toEqual([['commit'], [], 0]);
  history.pass(6);
  expect(mine(bob)).toEqual([]);
  const now = () => history.clock.now;
  history.tell({ type: 'CheckCommitted', taskId, checker: bob, answerBy: now() + 6 });
  expect([mine(bob), asked(alice), asked(bob)]).toEqual([['answer'], 1, 0]);
  history.pass(6);
  expect(asked(alice)).toBe(0);
  history.tell({ type: 'AnswersOpened', taskId, answers: taskId, revealBy: now() + 6 });
  expect([mine(bob), asked(alice)]).toEqual([['reveal'], 0]);
  history.tell({ type: 'TaskRejected', taskId, solver: alice });
  expect(mine(bob)).toEqual([]);
});

test('a check that we have committed to comes before one that we have not looked at, also when that one ends first', () => {
  const history = new History();
  const [committed, fresh] = history.post([0, 1]) as [Hex32, Hex32];
  for (const taskId of [committed, fresh]) history.assign(taskId, alice).submit(taskId, alice, 60);
  history.drawChecker(committed, bob, 10).drawChecker(fresh, bob, 10);
  const toMake = () => checksToMake(history.view, history.head, bob).map(({ task }) => task.taskId);
  expect(toMake()).toEqual([committed, fresh]);
  const answerBy = history.clock.now + 100;
  history.tell({ type: 'CheckCommitted', taskId: committed, checker: bob, answerBy });
  expect(toMake()).toEqual([committed, fresh]);
});

test('a case is seen through by the solver and by whoever opened it, until it is settled or its task has ended', () => {
  const history = new History();
  const [settled, rejected] = history.post([0, 1]) as [Hex32, Hex32];
  for (const taskId of [settled, rejected]) {
    history.assign(taskId, alice).submit(taskId, alice, 60).dispute(taskId, bob);
  }
  const claims = (self: Address) =>
    ownCases(history.view, self).map(({ task: { taskId }, claim }) => [taskId, claim]);
  expect(claims(alice)).toEqual([
    [settled, 'valid'],
    [rejected, 'valid'],
  ]);
  expect(claims(bob)).toEqual([
    [settled, 'invalid'],
    [rejected, 'invalid'],
  ]);
  expect(claims(carol)).toEqual([]);
  history.settle(settled, 'valid', 1).tell({ type: 'TaskRejected', taskId: rejected, solver: alice });
  expect([claims(alice), claims(bob)]).toEqual([[], []]);
});
