import { expect, test } from 'vitest';
import { disputeBalance, panelSize, pinCost, roundFee, wholeSeats } from '../../../src/protocol/economics.js';
import type { Verdict } from '../../../src/protocol/facts.js';
import type { CaseView } from '../../../src/protocol/marketView.js';
import type { Address, Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, carol, History, pinned } from '../../helpers/facts.js';

const terms = {
  solverStake: 100n,
  verifierFee: 10n,
  panelStart: 3,
  panelStep: 2,
  maxRounds: 7,
  panelDoubles: false,
  terminalPanel: 0,
  bountyBps: 3_000,
  delayBps: 1_000,
  commitBondBps: 5_000,
};

/** A settled case: who paid for each round, and how it ruled. The last ruling that is not void is final. */
function settled(...rounds: [payer: Address, ruling: Verdict | 'none' | 'tied'][]): CaseView {
  const history = new History();
  const [caseId] = history.post([0]) as [Hex32];
  history.submit(caseId, alice);
  const [disputer] = rounds[0] as [Address, unknown];
  history.tell({ type: 'CaseOpened', taskId: caseId, caseId, disputer, step: 0, ...pinned });
  rounds.forEach(([payer, ruling], i) => {
    const round = i + 1;
    const fee = roundFee(terms, round);
    const size = panelSize(terms, round);
    history
      .tell({ type: 'RoundOpened', caseId, round, size, payer, fee, epoch: 0 })
      .rule(caseId, round, ruling === 'tied' ? 'none' : ruling, ruling === 'none' ? 0 : 10);
  });
  const isRuling = (ruling: Verdict | 'none' | 'tied') => ruling !== 'none' && ruling !== 'tied';
  const final = (rounds.map(([, ruling]) => ruling).findLast(isRuling) ?? 'none') as Verdict | 'none';
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
  ['a disputer who is right gets its fee and the bounty', settled([bob, 'invalid']), 31n, 61n],
  ['a disputer who is wrong gets nothing back', settled([bob, 'valid']), 31n, 0n],
  ['nobody could check: the price pays the fee as far as it goes', settled([bob, 'unavailable']), 31n, 11n],
  ['no panel came to a ruling: the fee comes back', settled([bob, 'none']), 31n, 31n],
  ['an appeal that was right is repaid', settled([bob, 'valid'], [bob, 'invalid']), 81n, 111n],
  ['an appeal that was wrong is spent', settled([bob, 'valid'], [bob, 'valid']), 81n, 0n],
  ['a void appeal costs nothing', settled([bob, 'valid'], [bob, 'none']), 81n, 50n],
  ['a tie that nobody appealed costs nothing', settled([bob, 'tied']), 31n, 31n],
  ['a tie pays for its correction', settled([bob, 'tied'], [bob, 'invalid']), 81n, 111n],
  ['so it does where it goes against us', settled([bob, 'tied'], [bob, 'valid']), 81n, 50n],
  ['somebody else appealed for us', settled([bob, 'valid'], [carol, 'invalid']), 31n, 61n],
])('%s', (_, kase, paid, received) => {
  // The deposit for the delay is a tenth of the price.
  expect(disputeBalance(terms, kase, { account: bob, price: 10n })).toEqual({ paid, received });
});

test('a case that is moot costs nothing', () => {
  const kase = { ...settled([bob, 'valid'], [bob, 'none']), moot: true, verdict: 'none' } as const;
  expect(disputeBalance(terms, kase, { account: bob, price: 10n })).toEqual({ paid: 81n, received: 81n });
});

test('the bond of a commitment is a part of what the pin costs', () => {
  expect(pinCost(terms, 10n)).toEqual({ bond: 5n, due: 26n, deposit: 1n });
  expect(pinCost(terms, 1_000n)).toEqual({ bond: 500n, due: 0n, deposit: 100n });
});

test('only whole seats are bought', () => {
  expect(wholeSeats(199n, 100n)).toBe(1n);
  expect(wholeSeats(99n, 100n)).toBe(0n);
});
