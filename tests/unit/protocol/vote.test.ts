import { expect, test } from 'vitest';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { voteAnswer, voteCommitment, voteSalt } from '../../../src/protocol/vote.js';
import { alice, bob } from '../../helpers/facts.js';

const seat = { caseId: sha256Hex('case'), round: 1, seat: 2 };
const court = alice;
const secret = Buffer.alloc(32, 1);

test('a salt can be derived again and is another one for every seat, court and voter', () => {
  const salt = voteSalt(secret, court, seat);
  expect(voteSalt(Buffer.alloc(32, 1), court, { ...seat })).toBe(salt);
  const others = [
    voteSalt(secret, court, { ...seat, seat: 1 }),
    voteSalt(secret, court, { ...seat, round: 2 }),
    voteSalt(secret, court, { ...seat, caseId: sha256Hex('other') }),
    voteSalt(secret, bob, seat),
    voteSalt(Buffer.alloc(32, 2), court, seat),
  ];
  expect(new Set([salt, ...others]).size).toBe(6);
});

test('a commitment binds everything that a vote is about', () => {
  const place = { ...seat, chainId: 31337, court, voter: bob };
  const ballot = { verdict: 'valid', answer: sha256Hex('answer') } as const;
  const salt = voteSalt(secret, court, seat);
  const commitments = [
    voteCommitment(place, ballot, salt),
    voteCommitment({ ...place, chainId: 1 }, ballot, salt),
    voteCommitment({ ...place, court: bob }, ballot, salt),
    voteCommitment({ ...place, voter: alice }, ballot, salt),
    voteCommitment({ ...place, round: 2 }, ballot, salt),
    voteCommitment({ ...place, seat: 0 }, ballot, salt),
    voteCommitment(place, { ...ballot, verdict: 'invalid' }, salt),
    voteCommitment(place, { ...ballot, answer: sha256Hex('another') }, salt),
    voteCommitment(place, ballot, sha256Hex('salt')),
  ];
  expect(new Set(commitments).size).toBe(commitments.length);
});

test('the answer depends on trace and result', () => {
  const computed = { traceRoot: sha256Hex('trace'), resultRoot: sha256Hex('result') };
  const swapped = { traceRoot: computed.resultRoot, resultRoot: computed.traceRoot };
  expect(voteAnswer(computed)).not.toBe(voteAnswer(swapped));
});
