import { expect, test } from 'vitest';
import {
  demandsLeftOpen,
  dueCalls,
  type MarketRules,
  usefulCalls,
  type VersionRules,
} from '../../../src/protocol/keeper.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, carol, History, pinned } from '../../helpers/facts.js';

const unchecked = { pMin: 0, pMax: 0, scoreHalf: 8, stepAuditRate: 0, auditSteps: 2 };
const voting = { commitSeconds: 5, revealSeconds: 5, appealSeconds: 5 };
const first = { openSeconds: 30, challengeSeconds: 30, clockSeconds: 30, ...voting, ...unchecked };
const versioned = (...versions: VersionRules[]): MarketRules => ({
  ...{ epochLength: 4, seedDelay: 0 },
  versions: new Map(versions.map((version, i) => [i + 1, version])),
});
const rules = versioned(first);
const due = (history: History) => dueCalls(history.view, history.clock, rules);
/** Of the first task. */
function batchIn(history: History): Hex32 {
  const [task] = history.view.tasks.values();
  if (task === undefined) throw new Error('no task was posted');
  return task.batchId;
}
const seed = `0x${'5e'.repeat(32)}` as const;

test('nothing is due in an empty market, and a fresh task waits for the next epoch', () => {
  const history = new History();
  expect(due(history)).toEqual([]);
  history.post([0, 1]); // block 1, epoch 0
  expect(due(history)).toEqual([]);
  history.pass(2); // block 3: what is sent now lands in block 4, whose header does not exist yet
  expect(due(history)).toEqual([]);
});

test('a draw needs the seed of the epoch before, which is proven once its block exists', () => {
  const history = new History();
  history.post([0, 1]);
  const draw = { call: 'assignMany', batchId: batchIn(history), slots: [0, 1] };
  history.pass(3); // block 4 = the seed block of epoch 0
  expect(due(history)).toEqual([{ call: 'fulfil', epoch: 0 }, draw]);
  history.tell({ type: 'SeedFulfilled', epoch: 0, seed });
  expect(due(history)).toEqual([draw]);
  history.pass(2); // block 7: the call would land in epoch 2, and seed 1 comes with block 8
  expect(due(history)).toEqual([]);
  history.pass(1);
  expect(due(history)).toEqual([{ call: 'fulfil', epoch: 1 }, draw]);
});

test('a delayed seed block is waited for', () => {
  const history = new History();
  history.post([0]);
  history.pass(3);
  expect(dueCalls(history.view, history.clock, { ...rules, seedDelay: 1 })).toEqual([]);
  history.pass(1);
  expect(dueCalls(history.view, history.clock, { ...rules, seedDelay: 1 })[0]).toEqual({
    call: 'fulfil',
    epoch: 0,
  });
});

test('a deadline counts from the second after it', () => {
  const history = new History().seeded();
  const [, late, done] = history.post([0, 1, 2], { solveSeconds: 6 }) as [Hex32, Hex32, Hex32];
  const batchId = batchIn(history);
  history.assign(late, alice).assign(done, bob).submit(done, bob, 4);
  history.tell({ type: 'SeedFulfilled', epoch: 0, seed });
  const submitted = history.view.tasks.get(done);
  while (history.clock.now < (submitted?.challengeBy ?? 0)) history.pass(1);
  expect(due(history).map((call) => call.call)).not.toContain('finalizeMany');
  history.pass(1);
  expect(due(history)).toContainEqual({ call: 'finalizeMany', batchId, slots: [2] });
  while (history.clock.now <= (history.view.tasks.get(late)?.solveBy ?? 0)) history.pass(1);
  expect(due(history)).toContainEqual({ call: 'expireMany', batchId, slots: [1] });
  history.pass(40);
  expect(due(history)).toContainEqual({ call: 'expireMany', batchId, slots: [0, 1] });
  expect(due(history).map((call) => call.call)).not.toContain('assignMany');
});

test('a case moves on at each of its deadlines, and its seats are closed when it is settled', () => {
  const history = new History().seeded();
  const [caseId] = history.post([0]) as [Hex32];
  const advance = { call: 'advance', caseId } as const;
  history.submit(caseId, alice, 60).dispute(caseId, bob).pass(2);
  expect(due(history)).toContainEqual({ call: 'drawSeats', caseId });
  history.seat(caseId, 1, [bob, carol, carol], 3).pass(3);
  expect(due(history)).toEqual([]);
  expect(due(history.pass(1))).toEqual([advance]);
  history.commit(caseId, 1, 0, bob).openReveal(caseId, 1, 3).pass(3);
  expect(due(history)).toEqual([]);
  expect(due(history.pass(1))).toEqual([advance]);
  history.rule(caseId, 1, 'invalid', 3).pass(3);
  expect(due(history)).toEqual([]);
  expect(due(history.pass(1))).toEqual([{ call: 'settle', caseId }]);
  history.settle(caseId, 'invalid', 1);
  expect(due(history)).toEqual([{ call: 'closeSeats', caseId, round: 1 }]);
  history.tell(
    ...[0, 1, 2].map((seat) => {
      const voter = seat === 0 ? bob : carol;
      return { type: 'SeatClosed', caseId, round: 1, seat, voter, paid: 10n, slashed: 0n } as const;
    }),
  );
  expect(due(history)).toEqual([]);
});

test('a panel that can not be filled in time is given up', () => {
  const history = new History().seeded();
  const [caseId] = history.post([0]) as [Hex32];
  // openSeconds, and twice the time in which another panel can sit and rule
  history.submit(caseId, alice, 60).dispute(caseId, bob).pass(60);
  expect(due(history).map(({ call }) => call)).not.toContain('advance');
  expect(due(history.pass(1))).toEqual([{ call: 'advance', caseId }]);
});

test('a panel of an appeal, and one that replaces absent seats, is given up after openSeconds', () => {
  const ruled = () => {
    const history = new History().seeded();
    const [caseId] = history.post([0]) as [Hex32];
    history.submit(caseId, alice, 60).dispute(caseId, bob).seat(caseId, 1, [bob, carol, bob]);
    return { history, caseId };
  };
  const given = { type: 'RoundOpened', round: 2, size: 5, payer: bob, fee: 50n, epoch: 0 } as const;
  const absent = { type: 'ReplacementOpened', round: 1, seats: 3, epoch: 0 } as const;
  for (const opened of [given, absent]) {
    const { history, caseId } = ruled();
    history.tell({ ...opened, caseId }).pass(30);
    expect(due(history).map(({ call }) => call)).not.toContain('advance');
    expect(due(history.pass(1))).toContainEqual({ call: 'advance', caseId });
  }
});

test('many tasks are taken in parts that fit a block', () => {
  const history = new History();
  const slots = Array.from({ length: 40 }, (_, i) => i);
  history.post(slots);
  history.pass(3);
  const parts = due(history).flatMap((call) => (call.call === 'assignMany' ? [call.slots] : []));
  expect(parts.map((part) => part.length)).toEqual([16, 16, 8]);
  expect(parts.flat()).toEqual(slots);
});

test('tasks of different batches are different calls', () => {
  const history = new History();
  history.post([0, 1]);
  history.post([5]);
  history.pass(2);
  const calls = due(history).flatMap((call) => (call.call === 'assignMany' ? [call] : []));
  expect(calls.map(({ slots }) => slots)).toEqual([[0, 1], [5]]);
  expect(new Set(calls.map(({ batchId }) => batchId)).size).toBe(2);
});

test('a result is not accepted while a case is open, and is when it has been lost', () => {
  const history = new History().seeded();
  const [taskId] = history.post([3]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 3).dispute(taskId, bob).pass(10);
  const calls = () => due(history).map(({ call }) => call);
  expect(calls()).not.toContain('finalizeMany');
  history.settle(taskId, 'valid', 1);
  expect(due(history)).toContainEqual({ call: 'finalizeMany', batchId: batchIn(history), slots: [3] });
});

test('a demand is left to the solver for half of its time, then whoever can get the leaves shows them', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 60);
  const left = () => demandsLeftOpen(history.view, history.clock);
  const now = history.clock.now;
  history.tell({ type: 'LeavesDemanded', taskId, by: bob, fee: 10n, answerBy: now + 8 });
  const demandedAt = history.view.tasks.get(taskId)?.demand?.demandedAt ?? 0;
  const half = Math.ceil((demandedAt + now + 8) / 2);
  while (history.clock.now < half - 1) history.pass(1);
  expect(left()).toEqual([]);
  history.pass(1);
  expect(left()).toEqual([{ call: 'publishLeaves', taskId }]);
  while (history.clock.now < now + 8) history.pass(1);
  expect(left()).toEqual([{ call: 'publishLeaves', taskId }]);
  history.pass(1);
  expect(left()).toEqual([]);
});

test('a demand that was answered, or whose task has ended, is left alone', () => {
  const history = new History().seeded();
  const [first, second] = history.post([0, 1]) as [Hex32, Hex32];
  for (const taskId of [first, second]) {
    history.assign(taskId, alice).submit(taskId, alice, 60);
    history.tell({ type: 'LeavesDemanded', taskId, by: bob, fee: 10n, answerBy: history.clock.now + 20 });
  }
  history.pass(12);
  const left = () => demandsLeftOpen(history.view, history.clock);
  expect(left()).toHaveLength(2);
  history.tell({ type: 'LeavesPublished', taskId: first, by: alice, leaves: [], challengeBy: 99 });
  history.tell({ type: 'TaskRejected', taskId: second, solver: alice });
  expect(left()).toEqual([]);
});

test('an undecided task is ended like one that waits to be accepted', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 3).dispute(taskId, bob).pass(10);
  history
    .tell({ type: 'TaskUndecided', taskId, challengeBy: history.clock.now - 1 })
    .settle(taskId, 'none', 1);
  expect(due(history)).toContainEqual({ call: 'finalizeMany', batchId: batchIn(history), slots: [0] });
});

test('a task that is found right after all waits to be accepted again, once no case is open', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  const state = () => history.view.tasks.get(taskId)?.state;
  history.assign(taskId, alice).submit(taskId, alice, 3).dispute(taskId, bob);
  history.settle(taskId, 'none', 1).tell({ type: 'TaskUndecided', taskId, challengeBy: 99 });
  expect(state()).toBe('undecided');
  const again = `0x${'0d'.repeat(32)}` as const;
  history.tell({ type: 'CaseOpened', taskId, caseId: again, disputer: carol, step: 2, ...pinned });
  expect(state()).toBe('undecided');
  history.tell({ type: 'TaskDecided', taskId }).settle(again, 'valid', 1);
  expect(state()).toBe('submitted');
});

test('a case is settled at once when it can not be appealed, and when its task has ended elsewhere', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 60).dispute(taskId, bob);
  const other = `0x${'0c'.repeat(32)}` as const;
  history.tell(
    { type: 'CaseOpened', taskId, caseId: other, disputer: carol, step: 2, ...pinned },
    { type: 'RoundOpened', caseId: other, round: 1, size: 3, payer: carol, fee: 30n, epoch: 0 },
  );
  history.tell({ type: 'RoundRuled', caseId: other, round: 1, verdict: 'none', appealBy: 0 });
  const settled = () => due(history).flatMap((call) => (call.call === 'settle' ? [call.caseId] : []));
  expect(settled()).toEqual([other]);
  history.settle(other, 'none', 1).tell({ type: 'TaskRejected', taskId, solver: alice });
  expect(settled()).toEqual([taskId]);
  history.tell({ type: 'CaseMoot', caseId: taskId });
  expect(settled()).toEqual([]);
});

test('votes that are all open are counted at once, although a seat is absent', () => {
  const history = new History().seeded();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice, 60).dispute(caseId, bob).seat(caseId, 1, [bob, carol, carol], 30);
  history.commit(caseId, 1, 0, bob).commit(caseId, 1, 1, carol).openReveal(caseId, 1, 30);
  history.reveal(caseId, 1, 0, bob, 'invalid');
  expect(due(history)).toEqual([]);
  history.reveal(caseId, 1, 1, carol, 'invalid');
  expect(due(history)).toEqual([{ call: 'advance', caseId }]);
});

test('a demand that nobody answers is closed in time, and a result is not accepted before', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 3);
  const answerBy = history.clock.now + 8;
  history.tell({ type: 'LeavesDemanded', taskId, by: bob, fee: 10n, answerBy });
  history.pass(7);
  expect(due(history)).toEqual([]);
  history.pass(1);
  expect(due(history)).toEqual([{ call: 'closeDemand', taskId }]);
  history.tell({ type: 'DemandClosed', taskId, withheld: true });
  expect(due(history).map(({ call }) => call)).not.toContain('closeDemand');
});

test('leaves that were shown give time to dispute, and then the result is accepted', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 3);
  history.tell({ type: 'LeavesDemanded', taskId, by: bob, fee: 10n, answerBy: history.clock.now + 8 });
  const challengeBy = history.clock.now + 5;
  history.tell({ type: 'LeavesPublished', taskId, by: alice, leaves: [seed], challengeBy });
  expect(history.view.tasks.get(taskId)).toMatchObject({ challengeBy, leaves: [seed] });
  expect(due(history.pass(3))).toEqual([]);
  expect(due(history.pass(2))).toContainEqual({
    ...{ call: 'finalizeMany', batchId: batchIn(history), slots: [0] },
  });
});

const checked = { ...first, pMin: 2 ** 32 - 1, pMax: 2 ** 32 - 1 };
const always = versioned(checked);

test('whether a submission is checked is decided by the seed of its own epoch, which is fetched while there is time', () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 12); // block 3, epoch 0
  const callsNow = () => dueCalls(history.view, history.clock, always);
  expect(callsNow()).toEqual([]);
  history.pass(1); // block 4 seeds epoch 0
  expect(callsNow()).toEqual([{ call: 'fulfil', epoch: 0 }]);
  history.pass(8); // later seeds do not decide
  expect(callsNow()).toEqual([{ call: 'fulfil', epoch: 0 }]);
  history.tell({ type: 'SeedFulfilled', epoch: 0, seed }); // block 13: drawn with the newest seed, that of epoch 2
  expect(due(history)).toEqual([]);
  expect(callsNow()).toEqual([
    { call: 'fulfil', epoch: 2 },
    { call: 'drawChecker', taskId },
  ]);
  history.pass(3);
  expect(callsNow()).toEqual([{ call: 'finalizeMany', batchId: batchIn(history), slots: [0] }]);
});

test('a task goes by the version it was posted under: how long it is open, and whether it is checked', () => {
  const both = versioned({ ...checked, openSeconds: 10 }, { ...first, openSeconds: 20 });
  const history = new History().seeded();
  const [old, oldOpen] = history.post([0, 1]) as [Hex32, Hex32];
  const [young, youngOpen] = history.post([0, 1], { paramsVersion: 2 }) as [Hex32, Hex32];
  for (const taskId of [old, young]) history.assign(taskId, alice).submit(taskId, alice, 60);
  const callsNow = () => dueCalls(history.view, history.clock, both);
  const batchOf = (taskId: Hex32) => history.view.tasks.get(taskId)?.batchId as Hex32;
  expect(callsNow().filter(({ call }) => call === 'drawChecker')).toEqual([
    { call: 'drawChecker', taskId: old },
  ]);
  history.pass(6); // 11 and 10 s after they were posted
  expect(callsNow()).toContainEqual({ call: 'expireMany', batchId: batchOf(oldOpen), slots: [1] });
  expect(callsNow()).toContainEqual({ call: 'assignMany', batchId: batchOf(youngOpen), slots: [1] });
  history.pass(11);
  expect(callsNow()).toContainEqual({ call: 'expireMany', batchId: batchOf(youngOpen), slots: [1] });
});

test('a score makes checks rarer', () => {
  const falling = versioned({ ...first, pMax: 2 ** 32 - 2, scoreHalf: 1 });
  const history = new History().seeded();
  const taskIds = history.post(Array.from({ length: 16 }, (_, i) => i));
  for (const taskId of taskIds) history.assign(taskId, alice).submit(taskId, alice, 60);
  const drawn = () =>
    dueCalls(history.view, history.clock, falling).filter(({ call }) => call === 'drawChecker');
  expect(drawn()).toHaveLength(16);
  history.tell({ type: 'ScoreChanged', subnetId: 1, account: alice, score: 1_000_000 });
  expect(drawn()).toHaveLength(0);
});

test('an open check holds a result back, is closed when nobody can move, and then lets it go', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  const callsNow = () => dueCalls(history.view, history.clock, always);
  const close = { call: 'closeCheck', taskId };
  const final = { call: 'finalizeMany', batchId: batchIn(history), slots: [0] };
  history.assign(taskId, alice).submit(taskId, alice, 3);
  expect(callsNow()).toEqual([{ call: 'drawChecker', taskId }]);
  history.drawChecker(taskId, bob, 5).pass(5);
  expect(callsNow()).toEqual([]);
  expect(dueCalls(history.pass(1).view, history.clock, always)).toEqual([close]);
  const now = () => history.clock.now;
  while ((history.block + 1) % rules.epochLength !== 0) history.pass(1); // what comes is the first of its epoch
  history.tell({ type: 'CheckerReplaced', taskId, checker: bob, bond: 40n, drawBy: now() + 9 });
  expect(callsNow()).toEqual([]); // a seed that is not known yet
  history.pass(4);
  expect(callsNow()).toEqual([{ call: 'drawChecker', taskId }]);
  history.pass(6);
  expect(callsNow()).toEqual([close]);
  history.drawChecker(taskId, carol, 5);
  history.tell({ type: 'CheckCommitted', taskId, checker: carol, answerBy: now() + 1 });
  expect(callsNow()).toEqual([]);
  history.pass(1);
  expect(callsNow()).toEqual([close]);
  history.tell({ type: 'AnswersOpened', taskId, answers: seed, revealBy: now() + 3 });
  expect(callsNow()).toEqual([]);
  history.tell({ type: 'CheckClosed', taskId, checker: carol, outcome: 'passed', paid: 10n, lost: 0n });
  expect(callsNow()).toEqual([final]);
});

test('different answers give time to dispute, and a check waits for the cases about its task', () => {
  const history = new History().seeded();
  const [taskId] = history.post([0]) as [Hex32];
  const callsNow = () => dueCalls(history.view, history.clock, always).map(({ call }) => call);
  history.assign(taskId, alice).submit(taskId, alice, 3).drawChecker(taskId, bob, 5).pass(5);
  const challengeBy = history.clock.now + 5;
  history.tell({ type: 'CheckRevealed', taskId, checker: bob, answers: seed, challengeBy });
  expect(history.view.tasks.get(taskId)?.challengeBy).toBe(challengeBy);
  history.dispute(taskId, bob).pass(5);
  expect(callsNow()).toEqual(['drawSeats']);
  history.settle(taskId, 'valid', 1);
  expect(callsNow()).toEqual(['closeCheck']);
  history.tell({ type: 'TaskRejected', taskId, solver: alice });
  expect(callsNow()).toEqual(['closeCheck']);
});

const useful = (history: History) => usefulCalls(due(history), history.view, history.clock, rules);

test('a draw that can hit nobody waits for a seat, and the seed that only it needs with it', () => {
  const history = new History();
  const [first, second] = history.post([0, 1]) as [Hex32, Hex32];
  const draw = { call: 'assignMany', batchId: batchIn(history), slots: [0, 1] };
  history.pass(3);
  expect(due(history)).toEqual([{ call: 'fulfil', epoch: 0 }, draw]);
  expect(useful(history)).toEqual([]);
  history.stake(alice);
  expect(useful(history)).toEqual([{ call: 'fulfil', epoch: 0 }, draw]);
  history.stake(bob, 'verifier').assign(first, alice).pass(3);
  expect(due(history)).not.toEqual([]);
  expect(useful(history)).toEqual([]);
  // The seed of its epoch says whether a submission is checked, whoever is free.
  history.submit(first, alice, 60).pass(4);
  const rolled = Math.floor((history.view.tasks.get(first)?.submittedBlock ?? 0) / 4);
  expect(useful(history)).toEqual([{ call: 'fulfil', epoch: rolled }]);
  history.stake(carol);
  expect(useful(history)).toContainEqual({ ...draw, slots: [1] });
  expect(second).not.toBe(first);
});

test('a panel and a checker are asked for where somebody but the solver can be drawn', () => {
  const checking = versioned({ ...first, pMin: 2 ** 32 - 1, pMax: 2 ** 32 - 1 });
  const history = new History().seeded().stake(alice, 'verifier');
  const [caseId] = history.post([0]) as [Hex32];
  history.assign(caseId, alice).submit(caseId, alice, 60).dispute(caseId, bob).pass(4);
  const calls = () => {
    const all = dueCalls(history.view, history.clock, checking);
    return [all, usefulCalls(all, history.view, history.clock, checking)].map((some) =>
      some.map(({ call }) => call),
    );
  };
  expect(calls()).toEqual([['drawSeats', 'drawChecker'], []]);
  history.stake(bob, 'verifier');
  expect(calls()).toEqual([
    ['drawSeats', 'drawChecker'],
    ['drawSeats', 'drawChecker'],
  ]);
});
