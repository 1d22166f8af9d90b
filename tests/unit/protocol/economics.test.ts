import { expect, test } from 'vitest';
import { disputeBalance, panelSize, roundFee, wholeSeats } from '../../../src/protocol/economics.js';
import type { Verdict } from '../../../src/protocol/facts.js';
import type { CaseView } from '../../../src/protocol/market.js';
import type { Address, Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, carol, History } from '../../helpers/facts.js';

const terms = {
  solverStake: 100n,
  verifierFee: 10n,
  panelStart: 3,
  panelStep: 2,
  maxRounds: 7,
  panelDoubles: false,
  terminalPanel: 0,
  bountyBps: 3_000,
};

/** A settled case: who paid for each round, and how it ruled. The last ruling that is not void is final. */
function settled(...rounds: [payer: Address, ruling: Verdict | 'none'][]): CaseView {
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice);
  const [disputer] = rounds[0] as [Address, unknown];
  history.tell({ type: 'CaseOpened', taskId: caseId, caseId, disputer, step: 0 });
  rounds.forEach(([payer, ruling], i) => {
    const round = i + 1;
    const fee = roundFee(terms, round);
    const size = panelSize(terms, round);
    history
      .tell({ type: 'RoundOpened', caseId, round, size, payer, fee, epoch: 0 })
      .rule(caseId, round, ruling);
  });
  const final = rounds.map(([, ruling]) => ruling).findLast((ruling) => ruling !== 'none') ?? 'none';
  const kase = history.settle(caseId, final, rounds.length).view.cases.get(caseId);
  if (kase === undefined) throw new Error('no case');
  return kase;
}

test('fees grow as in the paper: 3 verifiers for 30, 5 for 50', () => {
  expect([1, 2, 3].map((round) => [panelSize(terms, round), roundFee(terms, round)])).toEqual([
    [3, 30n],
    [5, 50n],
    [7, 70n],
  ]);
});

test.each([
  ['a disputer who is right gets its fee and the bounty', settled([bob, 'invalid']), 30n, 60n],
  ['a disputer who is wrong gets nothing back', settled([bob, 'valid']), 30n, 0n],
  ['nobody could check: the fee comes back', settled([bob, 'unavailable']), 30n, 30n],
  ['no panel came to a ruling: the fee comes back', settled([bob, 'none']), 30n, 30n],
  ['an appeal that was right is repaid', settled([bob, 'valid'], [bob, 'invalid']), 80n, 110n],
  ['an appeal that was wrong is spent', settled([bob, 'valid'], [bob, 'valid']), 80n, 0n],
  ['a void appeal costs nothing', settled([bob, 'valid'], [bob, 'none']), 80n, 50n],
  ['somebody else appealed for us', settled([bob, 'valid'], [carol, 'invalid']), 30n, 60n],
])('%s', (_, kase, paid, received) => {
  expect(disputeBalance(terms, kase, bob)).toEqual({ paid, received });
});

test('only whole seats are bought', () => {
  expect(wholeSeats(199n, 100n)).toBe(1);
  expect(wholeSeats(99n, 100n)).toBe(0);
});
