import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { forget, keep, keepVote, recall, recallVote } from '../../../src/roles/memory.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-memory-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const taskId = sha256Hex('task');
const made = {
  leaves: [sha256Hex('S_0'), sha256Hex('S_1')],
  // The nearest double of an fp32: what was hashed must come back to the bit.
  seen: [
    {
      ...{ stateRoot: sha256Hex('X_1'), gradientRoot: sha256Hex('g'), batchDigest: sha256Hex('batch') },
      ...{ loss: Math.fround(5.1), gradientNorm: 0 },
      scalars: { stepSize: 1, secondMomentScale: 2, decay: 0xffff_ffff },
    },
  ],
  resultRoot: null,
};

test('what was kept is there for the next process, to the bit, until it is forgotten', async () => {
  expect(await recall(folder, taskId)).toBeNull();
  await keep(folder, taskId, made);
  expect(await recall(folder, taskId)).toEqual(made);
  await keep(folder, taskId, { ...made, resultRoot: sha256Hex('theta') });
  expect((await recall(folder, taskId))?.resultRoot).toBe(sha256Hex('theta'));
  await keep(folder, sha256Hex('other'), made);
  await forget(folder, (id) => id === taskId);
  expect(await recall(folder, taskId)).toBeNull();
  expect(await recall(folder, sha256Hex('other'))).toEqual(made);
});

test('what a verifier has found about a case is there for the next process until the case is over', async () => {
  const caseId = sha256Hex('case');
  const { stateRoot, gradientRoot, loss, gradientNorm } = made.seen[0] as (typeof made.seen)[0];
  const vote = { verdict: 'valid' as const, seen: { stateRoot, gradientRoot, loss, gradientNorm } };
  expect(await recallVote(folder, caseId)).toBeNull();
  await keepVote(folder, caseId, { ...vote, steps: 3 } as typeof vote);
  expect(await recallVote(folder, caseId)).toEqual(vote);
  expect(await recall(folder, caseId)).toBeNull();
  await keepVote(folder, taskId, { verdict: 'unavailable', seen: null });
  await forget(folder, (id) => id === caseId);
  expect(await recallVote(folder, caseId)).toBeNull();
  expect(await recallVote(folder, taskId)).toEqual({ verdict: 'unavailable', seen: null });
});

test('a file that is no memory is none: the steps are made again', async () => {
  await forget(folder, () => true);
  await keep(folder, taskId, made);
  const [file] = await readdir(folder);
  await writeFile(join(folder, file as string), '{"leaves":["0x12"]');
  expect(await recall(folder, taskId)).toBeNull();
});
