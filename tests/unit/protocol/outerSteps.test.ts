import { expect, test } from 'vitest';
import { keccak, keccakWords } from '../../../src/protocol/abiWords.js';
import { chainAfter, chainBeginning, contributionRoot } from '../../../src/protocol/outerSteps.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { alice } from '../../helpers/facts.js';

const results = [0, 3, 7].map((slot) => ({
  slot,
  taskId: sha256Hex(`task ${slot}`),
  resultRoot: sha256Hex(`result ${slot}`),
}));
const leaves = results.map(({ slot, taskId, resultRoot }) => keccakWords(slot, taskId, resultRoot));

function pair(a: Hex32, b: Hex32): Hex32 {
  return keccak(Buffer.from([a, b].sort().join('').replaceAll('0x', ''), 'hex'));
}

test('the root over one result is its leaf; over three, the last two are a pair and the first joins it', () => {
  const [first, second, third] = leaves as [Hex32, Hex32, Hex32];
  expect(contributionRoot(results.slice(0, 1))).toBe(first);
  expect(contributionRoot(results)).toBe(pair(pair(second, first), third));
});

test('another slot, task or result gives another root', () => {
  const [one, ...others] = results as [(typeof results)[0], ...typeof results];
  const root = contributionRoot(results);
  const changed = [
    { ...one, slot: 1 },
    { ...one, taskId: sha256Hex('?') },
    { ...one, resultRoot: sha256Hex('?') },
  ];
  for (const change of changed) expect(contributionRoot([change, ...others])).not.toBe(root);
});

test('there is no root over nothing, and none over slots that do not ascend', () => {
  expect(() => contributionRoot([])).toThrow('at least one result, received none');
  expect(() => contributionRoot([...results].reverse())).toThrow('slots ascend, received 3 after 7');
});

test('each step of a chain depends on all before it', () => {
  const job = { buyer: alice, subnetId: 1, jobId: sha256Hex('job') };
  const place = { chainId: 31_337, states: alice };
  const step = { round: 0, stateRoot: sha256Hex('one'), contributionRoot: contributionRoot(results) };
  const hashes = [sha256Hex('base'), sha256Hex('another base')].map((base) =>
    chainAfter(chainAfter(chainBeginning(place, job, base), step), { ...step, round: 1 }),
  );
  expect(hashes[0]).not.toBe(hashes[1]);
  expect(chainBeginning({ ...place, chainId: 1 }, job, sha256Hex('base'))).not.toBe(
    chainBeginning(place, job, sha256Hex('base')),
  );
});
