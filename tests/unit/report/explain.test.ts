import { expect, test } from 'vitest';
import type { MarketTerms } from '../../../src/protocol/economics.js';
import { areTermsTold, ledgerOf } from '../../../src/protocol/ledger.js';
import { explainerOf } from '../../../src/report/explain.js';
import { taskRowsOf, taskStory, tasksBeginning } from '../../../src/report/story.js';
import { cheatedRun } from '../../helpers/demoRun.js';
import { alice, bob, carol, History } from '../../helpers/facts.js';

const events = cheatedRun();
const explainer = explainerOf(events);
const rejected = taskRowsOf(events).find(({ state }) => state === 'rejected')?.taskId ?? '0x';

test('every token that left the convicted solver is explained by the rule it followed, and they add up to its stake', () => {
  const lost =
    explainer?.entries.filter(({ from, to }) => from.pocket === 'staking' && from.owner !== to.owner) ?? [];
  const ofCheat = lost.filter(({ taskId }) => taskId === rejected);
  const told = explainer
    ?.explain(ofCheat)
    .map(({ reason, amount, to, formula }) => ({ reason, amount, to, formula }));
  const disputer = taskStory(events, rejected)?.dispute?.disputer;
  const step = taskStory(events, rejected)?.dispute?.step;
  expect(told).toEqual([
    {
      ...{ reason: 'fee repaid', amount: '30', to: disputer },
      formula: "fee 30 of panel 1 back, out of the solver's stake of 100",
    },
    { reason: 'bounty', amount: '30', to: disputer, formula: 'stake 100 x bounty 30 % = 30' },
    { reason: 'compensation', amount: '10', to: 'master', formula: "stake 100 x buyer's part 10 % = 10" },
    {
      ...{ reason: 'forfeit', amount: '30', to: 'pot of the case' },
      formula: `step ${step} is wrong, say 3 of 3 seats of panel 1: stake 100 - fee 30 - bounty 30 - buyer's part 10 = 30, burned`,
    },
  ]);
  expect(ofCheat.reduce((sum, { amount }) => sum + amount, 0n)).toBe(100n * 10n ** 18n);
});

test('accounts are found by name, by address and by the beginning of one', () => {
  const address = explainer?.accountOf('worker_2') ?? '0x';
  expect(explainer?.accountOf(address)).toBe(address);
  expect(explainer?.accountOf(address.toLowerCase().slice(0, 10))).toBe(address);
  expect(explainer?.accountOf('worker_9')).toBeNull();
  expect(explainer?.accountOf('0x')).toBeNull();
});

test('the story of a task is told in order, from its posting to the last share', () => {
  const story = taskStory(events, rejected);
  const seconds = story?.timeline.map((line) => line.seconds) ?? [];
  expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
  expect(story?.timeline[0]?.text).toContain('posted at 10 each');
  const said = story?.timeline.map(({ text }) => text).join('\n');
  for (const part of [
    'is drawn for worker_2',
    'misbehaves',
    'wrong from step',
    'panel 1 rules invalid',
    'gets 10',
  ]) {
    expect(said).toContain(part);
  }
  expect(taskStory(events, `0x${'00'.repeat(32)}`)).toBeNull();
  expect(tasksBeginning(events, rejected.slice(2, 12))).toEqual([rejected]);
  expect(tasksBeginning(events, '0x')).toHaveLength(9);
});

const terms: MarketTerms = {
  ...{ solverStake: 100n, verifierFee: 10n, panelStart: 3, panelStep: 2, maxRounds: 7, seatBond: 40n },
  ...{ panelDoubles: false, terminalPanel: 0 },
  ...{ bountyBps: 3000, buyerBps: 1000, livenessBps: 1000, delayBps: 1000, commitBondBps: 5000 },
};
const versions = new Map([[1, terms]]);

test('a solver that delivers nothing: a tenth burned, the rest back, the price stays in escrow', () => {
  const history = new History().stake(alice);
  const [taskId = '0x'] = history.post([0]);
  history.assign(taskId, alice);
  history.tell({ type: 'TaskReopened', taskId, solver: alice, attempt: 2, penalty: 10n });
  const slash = { type: 'SeatSlashed', subnetId: 1, role: 'solver', account: alice, amount: 10n } as const;
  history.tell({ ...slash, caseId: taskId }, { type: 'Burned', amount: 10n });
  const moved = ledgerOf(history.facts, versions).map(({ reason, amount }) => [reason, amount]);
  expect(moved).toEqual([
    ['stake', 100n],
    ['escrow', 10n],
    ['penalty', 10n],
    ['remainder', 90n],
  ]);
});

test('a task that nobody solved: its price is burned after the last attempt, and back where nobody could be drawn', () => {
  for (const [burned, moved] of [
    [10n, { reason: 'burn', amount: 10n, to: { pocket: 'burned' } }],
    [0n, { reason: 'refund', amount: 10n, to: { pocket: 'account' } }],
  ] as const) {
    const history = new History();
    const [taskId = '0x'] = history.post([0]);
    history.tell({ type: 'TaskExpired', taskId, burned });
    expect(ledgerOf(history.facts, versions).at(-1)).toMatchObject(moved);
  }
});

test('a wrong panel repays the appeal that corrected it; a void one gives its fee back', () => {
  const disputed = () => {
    const history = new History();
    const [taskId = '0x'] = history.post([0]);
    history.assign(taskId, alice).submit(taskId, alice).dispute(taskId, bob);
    return { history, taskId };
  };
  const repaid = ({ facts }: History) =>
    ledgerOf(facts, versions)
      .filter(({ reason }) => reason === 'fee repaid')
      .map(({ to, amount, panel }) => [to.owner, amount, panel]);

  const appealed = disputed();
  const appeal = { type: 'RoundOpened', round: 2, size: 5, payer: carol, fee: 50n, epoch: 0 } as const;
  appealed.history.rule(appealed.taskId, 1, 'valid').tell({ ...appeal, caseId: appealed.taskId });
  appealed.history.rule(appealed.taskId, 2, 'invalid').settle(appealed.taskId, 'invalid', 2);
  // The disputer's own fee comes out of the solver's stake.
  expect(repaid(appealed.history)).toEqual([
    [bob, 30n, 1],
    [carol, 50n, 2],
  ]);

  const voided = disputed();
  voided.history.rule(voided.taskId, 1, 'none').settle(voided.taskId, 'none', 1);
  expect(repaid(voided.history)).toEqual([[bob, 30n, 1]]);
});

test('facts of another subnet, whose tasks were never told, move nothing', () => {
  const history = new History();
  history.assign(`0x${'07'.repeat(32)}`, alice).settle(`0x${'07'.repeat(32)}`, 'valid', 1);
  expect(ledgerOf(history.facts, versions)).toEqual([]);
});

test('a task that could not be checked pays for the panel that found so, and the rest of its price is burned', () => {
  const history = new History();
  const [taskId = '0x'] = history.post([0], { price: 50n });
  history.assign(taskId, alice).submit(taskId, alice).dispute(taskId, bob).rule(taskId, 1, 'unavailable');
  history.tell(
    { type: 'TaskVoided', taskId },
    { type: 'CaseSettled', caseId: taskId, verdict: 'unavailable', rounds: 1, burned: 20n },
  );
  const moved = ledgerOf(history.facts, versions)
    .filter(({ reason }) => reason !== 'delay')
    .map(({ reason, from, to, amount }) => [reason, from.pocket, to.owner ?? to.pocket, amount]);
  expect(moved).toEqual([
    ['escrow', 'account', 'market', 50n],
    ['fee', 'account', 'court', 30n],
    ['fee repaid', 'market', bob, 30n],
    ['forfeit', 'market', 'court', 20n],
    ['burn', 'court', 'burned', 20n],
  ]);
});

test('a case whose task ended elsewhere gives every fee back; an undecided task its price', () => {
  const history = new History();
  const [taskId = '0x'] = history.post([0]);
  history.assign(taskId, alice).submit(taskId, alice).dispute(taskId, bob);
  const round = { type: 'RoundOpened', round: 2, size: 5, payer: carol, fee: 50n, epoch: 0 } as const;
  history.tell({ ...round, caseId: taskId }, { type: 'CaseMoot', caseId: taskId });
  history.tell({ type: 'TaskVoided', taskId });
  const back = ledgerOf(history.facts, versions).filter(({ to }) => to.pocket === 'account');
  expect(back.map(({ to, amount, reason }) => [to.owner, amount, reason])).toEqual([
    [bob, 30n, 'fee repaid'],
    [carol, 50n, 'fee repaid'],
    [bob, 1n, 'delay'],
    [carol, 10n, 'refund'],
  ]);
});

test('what a dispute costs beside its fees comes back, or goes to the solver that a lost case has delayed', () => {
  const commitment = `0x${'cc'.repeat(32)}` as const;
  const story = (verdict: 'valid' | 'invalid') => {
    const history = new History();
    const [taskId = '0x'] = history.post([0], { price: 20n });
    history.assign(taskId, alice).submit(taskId, alice);
    history.tell({ type: 'DisputeCommitted', commitment, disputer: bob, bond: 10n }).dispute(taskId, bob);
    history.tell({ type: 'CommitmentOpened', commitment, caseId: taskId });
    return history.rule(taskId, 1, verdict).settle(taskId, verdict, 1);
  };
  const told = (verdict: 'valid' | 'invalid') =>
    ledgerOf(story(verdict).facts, versions)
      .filter(({ reason }) => reason === 'commitment' || reason === 'delay')
      .map(({ reason, from, to, amount }) => [
        reason,
        from.owner ?? from.pocket,
        to.owner ?? to.pocket,
        amount,
      ]);
  const before = [
    ['commitment', bob, 'court', 10n],
    ['delay', bob, 'court', 2n],
    ['commitment', 'court', bob, 10n],
  ];
  expect(told('invalid')).toEqual([...before, ['delay', 'court', bob, 2n]]);
  expect(told('valid')).toEqual([...before, ['delay', 'court', alice, 2n]]);
});

test('leaves that were demanded are paid for by whoever demanded them, to whoever shows them', () => {
  const history = new History();
  const [taskId = '0x'] = history.post([0]);
  history.assign(taskId, alice).submit(taskId, alice);
  history.tell({ type: 'LeavesDemanded', taskId, by: bob, fee: 10n, answerBy: 9 });
  const end = (fact: { type: 'LeavesPublished' } | { type: 'DemandClosed' }) => {
    const rest = { taskId, by: alice, leaves: [], challengeBy: 0, withheld: true };
    const at = { blockNumber: 9, logIndex: 0, timestamp: 0, transactionHash: taskId };
    const moves = ledgerOf([...history.facts, { ...at, ...rest, ...fact }], versions);
    return moves.filter(({ reason }) => reason === 'demand').map(({ to, amount }) => [to.owner, amount]);
  };
  expect(end({ type: 'LeavesPublished' })).toEqual([
    [null, 10n],
    [alice, 10n],
  ]);
  expect(end({ type: 'DemandClosed' })).toEqual([
    [null, 10n],
    [bob, 10n],
  ]);
});

test('the stake of a solver that shows its trace to nobody goes as in a conviction', () => {
  const history = new History();
  const [taskId = '0x'] = history.post([0]);
  history.assign(taskId, alice).submit(taskId, alice);
  history.tell(
    { type: 'LeavesDemanded', taskId, by: bob, fee: 10n, answerBy: 9 },
    { type: 'DemandClosed', taskId, withheld: true },
    { type: 'SeatSlashed', subnetId: 1, role: 'solver', account: alice, amount: 100n, caseId: taskId },
  );
  const lost = ledgerOf(history.facts, versions).filter(({ from }) => from.pocket === 'staking');
  expect(lost.map(({ reason, to, amount }) => [reason, to.owner ?? to.pocket, amount])).toEqual([
    ['bounty', bob, 30n],
    ['compensation', history.view.tasks.get(taskId)?.buyer, 10n],
    ['burn', 'burned', 60n],
  ]);
});

test('a task moves what the version says that it was posted under, and one of a version nobody told is not guessed', () => {
  const history = new History();
  const [old = '0x'] = history.post([0]);
  const [late = '0x'] = history.post([1], { paramsVersion: 2 });
  for (const taskId of [old, late]) history.assign(taskId, alice).submit(taskId, alice).dispute(taskId, bob);
  const both = new Map([...versions, [2, { ...terms, delayBps: 3_000 }] as const]);
  const deposits = ledgerOf(history.facts, both).filter(({ reason }) => reason === 'delay');
  expect(deposits.map(({ taskId, amount }) => [taskId, amount])).toEqual([
    [old, 1n],
    [late, 3n],
  ]);
  expect([areTermsTold(history.facts, both), areTermsTold(history.facts, versions)]).toEqual([true, false]);
  expect(() => ledgerOf(history.facts, versions)).toThrow('version 2');
});
