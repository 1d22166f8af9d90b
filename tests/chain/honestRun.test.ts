import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pan } from '../../src/chain/params.js';
import { startTestChain, type TestChain } from '../helpers/chain.js';
import { honestParameters } from '../helpers/toyCompute.js';
import { firstWorker, passWindows, startToyRun, tasksOf } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough for any machine; passed by the clock of the chain. */
const challengeSeconds = 60;
let local: TestChain;
beforeAll(async () => {
  local = await startTestChain({ challengeSeconds });
});
afterAll(() => local?.[Symbol.asyncDispose]());

test('two rounds by two workers end with the parameters of the honest single machine, and everybody is paid', async () => {
  await using run = await startToyRun(local, { rounds: 2, slotsPerRound: 3 }, { together: true });
  const workers = [await run.worker(firstWorker), await run.worker(firstWorker + 1)];
  const observer = await run.contextOf(0);
  await passWindows(run, local, { seconds: challengeSeconds, auditors: workers });
  const version = await run.master();

  expect(version.parameters).toBe(await honestParameters(run.manifest, run.folder));
  await observer.market.caughtUp(await local.deployer.provider.getBlockNumber(), local.signal);
  const tasks = tasksOf(observer.market.view);
  expect(tasks.map((task) => task.state)).toEqual(new Array(6).fill('accepted'));

  const { vault } = observer.contracts;
  let earned = 0n;
  for (const { address } of workers) earned += await vault.read('balanceOf', [address]);
  // Each worker has put 31 and 50 aside, for a dispute with its deposit and an appeal.
  expect(earned).toBe(pan(60) + 2n * pan(81));
  expect(observer.market.view.ledger.paidToSolvers).toBe(pan(60));

  const audits = workers.flatMap(({ events }) => events.filter((event) => event.type === 'audit.finished'));
  expect(audits).toHaveLength(6);
  expect(audits.every((event) => event.firstWrongStep === null)).toBe(true);
  const reports = await Promise.all(workers.map((worker) => worker.drain()));
  expect(reports.map((report) => report.slashed)).toEqual([0n, 0n]);
  expect(reports.reduce((sum, report) => sum + report.solved, 0)).toBe(6);
});
