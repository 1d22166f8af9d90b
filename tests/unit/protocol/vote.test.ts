import { keccak256 } from 'ethers';
import { expect, test } from 'vitest';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { attentionDigest, voteCommitment, voteSalt } from '../../../src/protocol/vote.js';
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

test('an attention digest depends on the seed of the panel and on all that the step showed', () => {
  const seen = { stateRoot: sha256Hex('state'), gradientRoot: sha256Hex('g'), loss: 0.5, gradientNorm: 0.25 };
  const seed = sha256Hex('seed');
  // keccak256 of the five values side by side, by hand: 0.5 and 0.25 are 3f000000 and 3e800000 in fp32.
  const parts = [seed, seen.stateRoot, seen.gradientRoot].map((hex) => hex.slice(2)).join('');
  expect(attentionDigest(seed, seen)).toBe(keccak256(`0x${parts}3f0000003e800000`));
  const others = [
    attentionDigest(sha256Hex('other'), seen),
    attentionDigest(seed, { ...seen, stateRoot: seen.gradientRoot }),
    attentionDigest(seed, { ...seen, gradientRoot: seen.stateRoot }),
    attentionDigest(seed, { ...seen, loss: 0.25 }),
    attentionDigest(seed, { ...seen, gradientNorm: 0.5 }),
  ];
  expect(new Set([attentionDigest(seed, seen), ...others]).size).toBe(6);
});
