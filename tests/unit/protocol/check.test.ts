import { sha256, solidityPackedKeccak256 } from 'ethers';
import { expect, test } from 'vitest';
import {
  answersOf,
  checkCommitment,
  checkedSteps,
  checkSalt,
  openingsOf,
  type SeenStep,
} from '../../../src/protocol/check.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { traceLeaf, traceRoot, traceRootFromProof } from '../../../src/protocol/trace.js';
import { alice, bob } from '../../helpers/facts.js';

const word = (digit: string): Hex32 => `0x${digit.repeat(64)}`;
const sampling = { pMin: 0, pMax: 0, scoreHalf: 1, stepAuditRate: 0, auditSteps: 3 };
const roll = word('7');

test('a check of the whole task begins with its last step, the others are as drawn', () => {
  const single = checkedSteps(sampling, { roll, whole: false }, 40);
  const whole = checkedSteps(sampling, { roll, whole: true }, 40);
  expect(single).toHaveLength(3);
  expect(single.every((step) => step >= 0 && step < 40)).toBe(true);
  expect(whole).toEqual([39, ...single.slice(1)]);
  expect(checkedSteps(sampling, { roll, whole: true }, 1)).toEqual([0, 0, 0]);
});

const scalars = { stepSize: 1, secondMomentScale: 2, decay: 3 };
const seen = (loss: number): SeenStep => ({
  ...{
    stateRoot: word('a'),
    gradientRoot: word('b'),
    batchDigest: word('c'),
    scalars,
    loss,
    gradientNorm: 1,
  },
});
const made = {
  leaves: [word('0'), word('1'), word('2'), word('3')],
  seen: [seen(3), seen(2), seen(1)],
  resultRoot: null,
};

test('answers are the first eight bytes of what each step showed, and nothing else fits into the word', () => {
  const answers = answersOf(roll, [2, 0], made, 4);
  const types = ['bytes32', 'bytes32', 'bytes32', 'bytes32', 'uint32', 'uint32', 'bytes32'];
  // 1 and 3 are 3f800000 and 40400000 in fp32.
  const head = (leaf: Hex32, loss: number, result: Hex32) =>
    solidityPackedKeccak256(types, [roll, leaf, word('a'), word('b'), loss, 0x3f800000, result]).slice(2, 18);
  const zeros = word('0');
  expect(answers).toBe(
    `0x${head(word('3'), 0x3f800000, zeros)}${head(word('1'), 0x40400000, zeros)}${'0'.repeat(32)}`,
  );
  // Another die gives other answers to the same steps: they can not be collected beforehand.
  expect(answersOf(word('8'), [2, 0], made, 4)).not.toBe(answers);
  expect(() => answersOf(roll, [3], made, 4)).toThrow('step 3 was not made, 3 were');
});

test('the answer to the last step knows the result, and whoever has no result has no answer to it', () => {
  const whole = { ...made, resultRoot: word('d') };
  const answer = answersOf(roll, [2], whole, 3);
  expect(answersOf(roll, [2], { ...made, resultRoot: word('e') }, 3)).not.toBe(answer);
  expect(answersOf(roll, [1], { ...made, resultRoot: word('e') }, 3)).toBe(answersOf(roll, [1], whole, 3));
  expect(() => answersOf(roll, [2], made, 3)).toThrow('step 2 was not made');
});

test('what is opened of a step leads to the trace root, and no other step does', () => {
  const taskId = word('9');
  const leaves = [null, ...made.seen].map((step, k) => {
    const at = { taskId, opset: 'canon-f32-v1', step: k, stateRoot: word('a') } as const;
    return traceLeaf({ ...at, transition: step });
  });
  const [opening] = openingsOf('canon-f32-v1', [1], { ...made, leaves });
  expect(traceRootFromProof(leaves[2] as Hex32, 2, opening?.proof ?? [])).toBe(traceRoot(leaves));
  expect(opening?.content).toMatchObject({ ...scalars, loss: 0x40000000, gradientNorm: 0x3f800000 });
  expect(opening?.content.opsetHash).toBe(sha256('0x63616e6f6e2d6633322d7631'));
  expect(() => openingsOf('canon-f32-v1', [3], { ...made, leaves })).toThrow('step 3 was not made');
});

test('a commitment is good for one checker of one task of one contract, and its salt is made again from the key', () => {
  const secret = new Uint8Array(32).fill(5);
  const at = { chainId: 1, audit: alice, taskId: word('1'), checker: bob };
  const salt = checkSalt(secret, alice, word('1'));
  expect(checkSalt(secret, alice, word('1'))).toBe(salt);
  expect(checkSalt(secret, alice, word('2'))).not.toBe(salt);
  const others = [{ chainId: 2 }, { audit: bob }, { taskId: word('2') }, { checker: alice }].map((change) =>
    checkCommitment({ ...at, ...change }, word('c'), salt),
  );
  expect(new Set([checkCommitment(at, word('c'), salt), ...others]).size).toBe(5);
});
