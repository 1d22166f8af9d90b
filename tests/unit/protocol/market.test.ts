import { expect, test } from 'vitest';
import { applyFact, applyFacts } from '../../../src/protocol/market.js';
import { casesOf, isRoundAccepted, slotsToPost, solversBefore } from '../../../src/protocol/marketQueries.js';
import { emptyMarket, positionKey } from '../../../src/protocol/marketView.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, carol, genesis, History, pinned, round0 } from '../../helpers/facts.js';

test('folding one by one and all at once give the same view, and the input stays as it was', () => {
  const history = new History().stake(alice);
  const [taskId] = history.post([0, 1]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice).dispute(taskId, bob).seat(taskId, 1, [bob, bob, carol]);
  const before = emptyMarket();
  const stepwise = history.facts.reduce(applyFact, before);
  expect(stepwise).toEqual(applyFacts(before, history.facts));
  expect(before).toEqual(emptyMarket());
  expect(stepwise.block).toBe(history.block);
});

test('a task goes from posted to accepted and its price is counted as paid', () => {
  const history = new History();
  const [taskId] = history.post([1], { price: 7n, solveSeconds: 5 }) as [Hex32];
  expect(history.view.tasks.get(taskId)).toMatchObject({
    state: 'open',
    slot: 1,
    attempt: 1,
    openedAt: genesis + 1,
  });
  history.assign(taskId, alice);
  expect(history.view.tasks.get(taskId)).toMatchObject({
    state: 'assigned',
    solver: alice,
    solveBy: genesis + 7,
  });
  history.submit(taskId, alice);
  expect(history.view.tasks.get(taskId)).toMatchObject({ state: 'submitted', submittedBlock: 3 });
  history.tell({ type: 'TaskAccepted', taskId, solver: alice });
  expect(history.view.tasks.get(taskId)?.state).toBe('accepted');
  expect(history.view.ledger.paidToSolvers).toBe(7n);
});

test('a task of a journal that does not say how long it has has no known deadline', () => {
  const history = new History();
  const [taskId] = history.post([0], { solveSeconds: undefined as never }) as [Hex32];
  history.assign(taskId, alice);
  expect(history.view.tasks.get(taskId)).toMatchObject({ state: 'assigned', solveBy: null });
});

test('a task that is taken back is open again, drawn anew from that block on, without its solver', () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).pass(20);
  history.tell({ type: 'TaskReopened', taskId, solver: alice, attempt: 2, penalty: 10n });
  expect(history.view.tasks.get(taskId)).toMatchObject({
    state: 'open',
    attempt: 2,
    solver: null,
    solveBy: null,
    requestBlock: history.block,
    openedAt: genesis + history.block,
  });
});

test('only slots without a running or accepted task are posted again', () => {
  const history = new History();
  expect(slotsToPost(history.view, round0)).toEqual([0, 1]);
  const [first, second] = history.post([0, 1]) as [Hex32, Hex32];
  expect(slotsToPost(history.view, round0)).toEqual([]);
  history.tell({ type: 'TaskRejected', taskId: second, solver: alice });
  expect(slotsToPost(history.view, round0)).toEqual([1]);
  history.tell({ type: 'TaskExpired', taskId: first, burned: 0n });
  expect(slotsToPost(history.view, round0)).toEqual([0, 1]);
});

test('a stranger who posts other work in the name of the job does not stand in its way', () => {
  const history = new History();
  const foreign = history.post([0, 1], { specHash: sha256Hex('another spec') });
  for (const taskId of foreign) {
    history.tell({ type: 'TaskAccepted', taskId, solver: bob });
  }
  expect(slotsToPost(history.view, round0)).toEqual([0, 1]);
  expect(isRoundAccepted(history.view, round0)).toBe(false);
  for (const taskId of history.post([0, 1])) {
    history.tell({ type: 'TaskAccepted', taskId, solver: bob });
  }
  expect(isRoundAccepted(history.view, round0)).toBe(true);
});

test('seats replaced after their holders were absent belong to the new voters, votes already given stand', () => {
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice).dispute(caseId, bob).seat(caseId, 1, [bob, bob, carol]);
  history.commit(caseId, 1, 2, carol).openReveal(caseId, 1).reveal(caseId, 1, 2, carol, 'invalid');
  history.tell(
    { type: 'ReplacementOpened', caseId, round: 1, seats: 2, epoch: 1 },
    { type: 'SeatClosed', caseId, round: 1, seat: 0, voter: bob, paid: 0n, slashed: 40n },
    { type: 'SeatClosed', caseId, round: 1, seat: 1, voter: bob, paid: 0n, slashed: 40n },
  );
  expect(history.view.cases.get(caseId)?.rounds[0]).toMatchObject({
    phase: 'drawing',
    requestBlock: history.block,
  });
  history.tell({ type: 'SeatDrawn', caseId, round: 1, seat: 0, voter: carol });
  const seats = history.view.cases.get(caseId)?.rounds[0]?.seats;
  expect(seats?.[0]).toMatchObject({ voter: carol, closed: false, verdict: null, slashed: 0n });
  expect(seats?.[1]).toMatchObject({ voter: bob, closed: true, slashed: 40n });
  expect(seats?.[2]).toMatchObject({ voter: carol, verdict: 'invalid' });
});

test('who could be drawn before a block: staked earlier, with a seat left, not convicted', () => {
  const history = new History().stake(alice).stake(bob).stake(carol, 'verifier');
  const block = history.block + 1;
  expect(solversBefore(history.view, 1, block)).toEqual([alice, bob].sort());
  expect(solversBefore(history.view, 1, 2)).toEqual([alice]);
  expect(solversBefore(history.view, 2, block)).toEqual([]);
  const slash = { subnetId: 1, role: 'solver', account: bob, amount: 10n, caseId: sha256Hex('c') } as const;
  history.tell({ type: 'SeatSlashed', ...slash });
  expect(solversBefore(history.view, 1, block)).toEqual([alice]);
  history.tell({ type: 'PositionJailed', subnetId: 1, role: 'solver', account: alice });
  expect(solversBefore(history.view, 1, block)).toEqual([]);
  expect(history.view.ledger.slashed).toBe(10n);
});

test('what strangers post and dispute in a subnet of their own is not in the view of ours', () => {
  const history = new History();
  const [foreign] = history.post([0], { subnetId: 2 }) as [Hex32];
  const [ours] = history.post([1]) as [Hex32];
  history.assign(foreign, alice).submit(foreign, alice).dispute(foreign, bob);
  const view = applyFacts(emptyMarket(1), history.facts);
  expect([...view.tasks.keys()]).toEqual([ours]);
  expect(view.cases.size).toBe(0);
  expect(slotsToPost(view, round0)).toEqual([0]);
});

test('a task with two cases is disputed until the last one is settled, and waits again to be accepted', () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice);
  const [first, second] = [sha256Hex('first'), sha256Hex('second')];
  for (const [caseId, disputer, step] of [
    [first, bob, 1],
    [second, carol, 3],
  ] as const) {
    history.tell(
      { type: 'CaseOpened', taskId, caseId, disputer, step, ...pinned },
      { type: 'RoundOpened', caseId, round: 1, size: 3, payer: disputer, fee: 30n, epoch: 0 },
    );
  }
  expect(casesOf(history.view, taskId).map(({ caseId, step }) => [caseId, step])).toEqual([
    [first, 1],
    [second, 3],
  ]);
  history.settle(first, 'valid', 1);
  expect(history.view.tasks.get(taskId)).toMatchObject({ state: 'disputed', disputer: carol });
  history.settle(second, 'valid', 1);
  expect(history.view.tasks.get(taskId)?.state).toBe('submitted');
  expect(history.view.cases.get(first)).toMatchObject({ settled: true, verdict: 'valid', disputer: bob });
});

test('a rejected task stays rejected when its other case ends', () => {
  const history = new History();
  const [taskId] = history.post([0]) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice).dispute(taskId, bob);
  history.tell({ type: 'TaskRejected', taskId, solver: alice }).settle(taskId, 'none', 1);
  expect(history.view.tasks.get(taskId)?.state).toBe('rejected');
});

test('a solver that loses a bond after it asked all seats back has one fewer of those, and what it stakes anew counts whole', () => {
  const history = new History().stake(alice);
  const seat = { subnetId: 1, role: 'solver', account: alice } as const;
  history.tell({ type: 'UnstakeRequested', ...seat, seats: 1, unlockAt: 9 });
  history.tell({ type: 'SeatSlashed', ...seat, amount: 10n, caseId: sha256Hex('c') });
  const position = () => history.view.positions.get(positionKey(1, 'solver', alice));
  expect(position()).toMatchObject({ seats: 0, unstaking: 0, slashed: 10n });
  history.stake(alice);
  expect(position()).toMatchObject({ seats: 1, unstaking: 0 });
});
