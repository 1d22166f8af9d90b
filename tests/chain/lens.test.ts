/** PanthaliaLens on chain and keeper.ts on events decide the same, in every block of runs in which much goes wrong. */
import { expect, test, vi } from 'vitest';
import { everyTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import { readRules } from '../../src/roles/rules.js';
import { startTestChain } from '../helpers/chain.js';
import { compareLens } from '../helpers/lens.js';
import { firstWorker, startToyRun } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 240_000 });

const deadlines = {
  solveSeconds: 6,
  challengeSeconds: 5,
  commitSeconds: 6,
  revealSeconds: 4,
  appealSeconds: 2,
  clockSeconds: 6,
};

test.each([
  [
    'a cheat, one that never submits, and a verifier that never votes',
    ['wrong-seed', 'silent', 'absent-verifier'],
  ],
  [
    'a trace that nobody can fetch, and a verifier that lies',
    ['hidden-trace', 'lying-verifier', 'zero-delta'],
  ],
  [
    'a check of every result, a cheat, and a verifier that never looks',
    ['noise', 'absent-verifier', 'silent'],
    everyTaskChecked,
  ],
] as [string, string[], Partial<SubnetParams>?][])('%s', async (_, faults, params = {}) => {
  await using local = await startTestChain({ ...deadlines, ...params });
  await using run = await startToyRun(local, { rounds: 2, slotsPerRound: 3 });
  for (const [i, fault] of faults.entries()) {
    await run.worker(firstWorker + i, { fault, audit: 'never', stakeAmount: pan(400) });
  }
  for (const account of [8, 9]) await run.worker(account, { audit: 'all', stakeAmount: pan(200) });
  await run.master();
  const { contracts } = await run.contextOf(0);
  const rules = await readRules(contracts, local.deployment.subnetId);

  const { compared, due, differences } = await compareLens(local, rules);
  expect(differences).toEqual([]);
  console.log(`${compared} comparisons, due:`, due);
  expect(compared).toBeGreaterThan(100);
  for (const action of ['fulfil', 'finalizeMany']) {
    expect(due[action] ?? 0, action).toBeGreaterThan(0);
  }
});
