import { expect, test } from 'vitest';
import { type AppealTerms, caseMove, type Stand } from '../../../src/protocol/appeal.js';
import type { Verdict } from '../../../src/protocol/facts.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, carol, History } from '../../helpers/facts.js';

const terms: AppealTerms = {
  ...{ solverStake: 100n, verifierFee: 10n, panelStart: 3, panelStep: 2, maxRounds: 3, panelDoubles: false },
  ...{ terminalPanel: 0, bountyBps: 3000, delayBps: 1000, commitBondBps: 5000, appealSeconds: 10 },
};

/** A task of alice, whose only step in question bob disputes. */
function disputed(price = 10n): { history: History; caseId: Hex32 } {
  const history = new History();
  const [taskId] = history.post([0], { price }) as [Hex32];
  history.assign(taskId, alice).submit(taskId, alice, 100).dispute(taskId, bob);
  history.seat(taskId, 1, [carol, carol, carol]);
  return { history, caseId: taskId };
}

function ruled(ruling: Verdict | 'none', seconds = 10, price = 10n) {
  const one = disputed(price);
  one.history.rule(one.caseId, 1, ruling, seconds);
  return one;
}

function appealed({ history, caseId }: ReturnType<typeof ruled>, round: number) {
  const size = 2 * round + 1;
  history.tell({ type: 'RoundOpened', caseId, round, size, payer: alice, fee: 10n * BigInt(size), epoch: 0 });
}

const found = (verdict: Verdict, round = 1) => ({ verdict, round });
const solver: Stand = { claim: 'valid', found: null };
const disputer: Stand = { claim: 'invalid', found: null };

function move({ history, caseId }: { history: History; caseId: Hex32 }, stand: Stand) {
  return caseMove(history.view, history.head.timestamp, caseId, stand, terms);
}

test.each<[string, Stand, Verdict | 'none', Verdict, string]>([
  ['a solver whose step is right', solver, 'invalid', 'valid', 'appeal'],
  ['a solver whose step is wrong', solver, 'invalid', 'invalid', 'wrong'],
  ['a solver whose base is gone, which would keep its seat', solver, 'invalid', 'unavailable', 'appeal'],
  [
    'a solver that everybody could check, and nobody did, for less than a panel',
    solver,
    'unavailable',
    'valid',
    'not_worth',
  ],
  ['a solver of a tied panel', solver, 'none', 'valid', 'appeal'],
  ['a disputer that is not believed', disputer, 'valid', 'invalid', 'appeal'],
  ['a disputer that has erred', disputer, 'valid', 'valid', 'wrong'],
  ['a disputer of what can not be had', disputer, 'unavailable', 'unavailable', 'wrong'],
  ['a disputer that everybody could check, and nobody did', disputer, 'unavailable', 'invalid', 'appeal'],
])('%s', (_, stand, ruling, verdict, expected) => {
  const made = move(ruled(ruling), { ...stand, found: found(verdict) });
  const said = made?.move === 'accept' ? made.why : made?.move;
  expect(said).toBe(expected);
  if (made?.move === 'appeal') expect(made).toMatchObject({ fee: 50n, size: 5, verdict, isFound: true });
});

test('who is right waits, and so does everybody once nothing can be won', () => {
  expect(move(ruled('valid'), solver)).toBeUndefined();
  expect(move(ruled('invalid'), disputer)).toBeUndefined();
  const right = { ...solver, found: found('valid') };
  expect(move(ruled('none', 0), right)).toBeUndefined();
  const late = ruled('invalid');
  late.history.pass(10);
  expect(move(late, right)).toMatchObject({ move: 'appeal' });
  late.history.pass(1);
  expect(move(late, right)).toBeUndefined();
  const moot = ruled('invalid');
  moot.history.tell({ type: 'TaskRejected', taskId: moot.caseId, solver: alice });
  expect(move(moot, right)).toBeUndefined();
  const over = ruled('invalid');
  over.history.settle(over.caseId, 'invalid', 1);
  expect(move(over, right)).toMatchObject({ move: 'settled' });
});

test('an appeal that a reorganisation takes back is due again, and one that stands is not', () => {
  const one = ruled('invalid');
  const right = { ...solver, found: found('valid') };
  const { facts } = one.history;
  const appealed = { type: 'RoundOpened', round: 2, size: 5, payer: alice, fee: 50n, epoch: 0 } as const;
  one.history.tell({ ...appealed, caseId: one.caseId });
  expect(move(one, right)).toBeUndefined();
  one.history.facts = facts.slice(0, -1);
  expect(move(one, right)).toMatchObject({ move: 'appeal' });
});

test('the step is made again before money is spent, from the first vote against us on', () => {
  const one = disputed();
  one.history.commit(one.caseId, 1, 0, carol).openReveal(one.caseId, 1);
  expect(move(one, solver)).toBeUndefined();
  one.history.reveal(one.caseId, 1, 0, carol, 'invalid');
  expect(move(one, disputer)).toBeUndefined();
  expect(move(one, solver)).toEqual({ move: 'look', round: 1 });
  expect(move(one, { ...solver, found: found('valid') })).toBeUndefined();
  one.history.rule(one.caseId, 1, 'invalid');
  expect(move(one, solver)).toEqual({ move: 'look', round: 1 });
});

test('in the second half of the window what we have computed before is enough, but not for what others can compute', () => {
  const one = ruled('invalid');
  one.history.pass(5);
  expect(move(one, solver)).toMatchObject({ move: 'look' });
  one.history.pass(1);
  expect(move(one, solver)).toMatchObject({ move: 'appeal', verdict: 'valid', isFound: false });
  const withheld = ruled('unavailable', 10, 50n);
  withheld.history.pass(9);
  expect(move(withheld, solver)).toMatchObject({ move: 'look' });
  appealed(one, 2);
  one.history.rule(one.caseId, 2, 'invalid').pass(9);
  expect(move(one, solver)).toMatchObject({ move: 'look' });
});

test('what could be had for one panel is looked for again when the next does not find it', () => {
  const one = ruled('invalid', 10, 70n);
  appealed(one, 2);
  one.history.rule(one.caseId, 2, 'unavailable');
  expect(move(one, { ...solver, found: found('valid') })).toEqual({ move: 'look', round: 2 });
  expect(move(one, { ...solver, found: found('valid', 2) })).toMatchObject({ move: 'appeal', fee: 70n });
});

test('a ruling of unavailable is appealed for no more than it costs', () => {
  const right = { ...solver, found: found('valid') };
  expect(move(ruled('unavailable', 10, 50n), right)).toMatchObject({ move: 'appeal', fee: 50n });
  expect(move(ruled('unavailable', 10, 49n), right)).toMatchObject({ why: 'not_worth', fee: 50n });
  const gone = { ...solver, found: found('unavailable') };
  expect(move(ruled('unavailable', 10, 50n), gone)).toMatchObject({ why: 'wrong' });
  expect(move(ruled('unavailable', 10, 50n), { ...solver, found: found('invalid') })).toMatchObject({
    why: 'wrong',
  });
  // A conviction gives 30 of the fee and 30 of the stake back, a void task as much of the fee as the price is.
  const proven = { ...disputer, found: found('invalid') };
  expect(move(ruled('unavailable', 10, 10n), proven)).toMatchObject({ move: 'appeal', fee: 50n });
  expect(move(ruled('unavailable', 10, 11n), proven)).toMatchObject({ why: 'not_worth' });
});

test('who shows the base to its solver and not to panels is paid for one of them at most', () => {
  const one = ruled('unavailable', 10, 1000n);
  expect(move(one, { ...solver, found: found('valid') })).toMatchObject({ move: 'appeal', fee: 50n });
  appealed(one, 2);
  one.history.rule(one.caseId, 2, 'unavailable');
  expect(move(one, { ...solver, found: found('valid', 2) })).toMatchObject({ why: 'twice', fee: 70n });
  expect(move(one, solver)).toMatchObject({ why: 'twice' });
});

test('a panel that costs more than is allowed, and the one after the last, are not asked for', () => {
  const right = { ...solver, found: found('valid') };
  expect(move(ruled('invalid'), { ...right, maxFee: 50n })).toMatchObject({ move: 'appeal' });
  expect(move(ruled('invalid'), { ...right, maxFee: 49n })).toMatchObject({ why: 'too_dear', fee: 50n });
  expect(move(ruled('invalid', 0), right)).toMatchObject({ why: 'last_panel' });
});
