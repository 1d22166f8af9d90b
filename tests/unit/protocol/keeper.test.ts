import { expect, test } from 'vitest';
import { dueCalls, type MarketRules } from '../../../src/protocol/keeper.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, carol, History } from '../../helpers/facts.js';

const rules: MarketRules = { epochLength: 4, seedDelay: 0, openSeconds: 30 };
const due = (history: History) => dueCalls(history.view, history.clock, rules);
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
  const taskIds = history.post([0, 1]);
  history.pass(3); // block 4 = the seed block of epoch 0
  expect(due(history)).toEqual([
    { call: 'fulfil', epoch: 0 },
    { call: 'assignMany', taskIds },
  ]);
  history.tell({ type: 'SeedFulfilled', epoch: 0, seed });
  expect(due(history)).toEqual([{ call: 'assignMany', taskIds }]);
  history.pass(2); // block 7: the call would land in epoch 2, and seed 1 comes with block 8
  expect(due(history)).toEqual([]);
  history.pass(1);
  expect(due(history)).toEqual([
    { call: 'fulfil', epoch: 1 },
    { call: 'assignMany', taskIds },
  ]);
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
  const history = new History();
  const [open, late, done] = history.post([0, 1, 2]) as [Hex32, Hex32, Hex32];
  history.assign(late, alice, 6).assign(done, bob).submit(done, bob, 4);
  history.tell({ type: 'SeedFulfilled', epoch: 0, seed });
  const submitted = history.view.tasks.get(done);
  while (history.clock.now < (submitted?.challengeBy ?? 0)) history.pass(1);
  expect(due(history).map((call) => call.call)).not.toContain('finalizeMany');
  history.pass(1);
  expect(due(history)).toContainEqual({ call: 'finalizeMany', taskIds: [done] });
  while (history.clock.now <= (history.view.tasks.get(late)?.solveBy ?? 0)) history.pass(1);
  expect(due(history)).toContainEqual({ call: 'expireMany', taskIds: [late] });
  history.pass(40);
  expect(due(history)).toContainEqual({ call: 'expireMany', taskIds: [open, late] });
  expect(due(history).map((call) => call.call)).not.toContain('assignMany');
});

test('a case moves on at each of its deadlines, and its seats are closed when it is settled', () => {
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  const advance = { call: 'advance', caseId } as const;
  history.submit(caseId, alice, 60).dispute(caseId, bob).pass(2);
  expect(due(history)).toContainEqual({ call: 'drawSeats', caseId });
  history.seat(caseId, 1, [bob, carol, carol], 3).pass(3);
  expect(due(history)).toEqual([]);
  expect(due(history.pass(1))).toEqual([advance]);
  history.openReveal(caseId, 1, 3).pass(3);
  expect(due(history)).toEqual([]);
  expect(due(history.pass(1))).toEqual([advance]);
  history.rule(caseId, 1, 'invalid', 3).pass(3);
  expect(due(history)).toEqual([]);
  expect(due(history.pass(1))).toEqual([advance]);
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
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice, 60).dispute(caseId, bob).pass(31);
  expect(due(history)).toEqual([{ call: 'advance', caseId }]);
});

test('many tasks are taken in parts that fit a block', () => {
  const history = new History();
  const taskIds = history.post(Array.from({ length: 40 }, (_, i) => i));
  history.pass(3);
  const parts = due(history).flatMap((call) => (call.call === 'assignMany' ? [call.taskIds] : []));
  expect(parts.map((part) => part.length)).toEqual([16, 16, 8]);
  expect(parts.flat()).toEqual(taskIds);
});
