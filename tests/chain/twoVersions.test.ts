/** Tasks of two versions of the parameters side by side: each moves what its own version says, in the vault and in our books. */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readEvents } from '../../src/actions/readEvents.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { localParams, noTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import { isTerminal } from '../../src/protocol/marketQueries.js';
import { explainerOf } from '../../src/report/explain.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { skip, startTestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/processes.js';
import { firstWorker, startToyRun, tasksOf } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 240_000 });

/** Ends when the test says so, however long the new version takes to come into force. */
const solveSeconds = 600;
const long = { solveSeconds, commitSeconds: solveSeconds, clockSeconds: solveSeconds };
const first: Partial<SubnetParams> = { ...noTaskChecked, ...long, openSeconds: 60, maxAttempts: 1 };
const second: Partial<SubnetParams> = { ...first, livenessBps: 2_500 };

test('who delivers nothing loses what the version of its task says, whatever is in force by then', async () => {
  await using local = await startTestChain(first, 0.25);
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 });
  const { deployer, deployment, signal } = local;
  const { registry } = connectContracts(deployer, deployment);
  await run.worker(firstWorker, { fault: 'silent', audit: 'never', stakeAmount: pan(200) });
  const { market } = await run.contextOf(0);
  const finished = new AbortController();
  const master = run.master(finished.signal).catch(() => {});
  const assigned = (version: number) =>
    market.waitFor(
      (view) => tasksOf(view).find((one) => one.paramsVersion === version && one.state === 'assigned'),
      signal,
    );
  await assigned(1);
  await registry.write('addParams', [deployment.subnetId, localParams(second)], signal);
  await eventually('the new version is in force', async () => {
    return (await registry.read('currentVersion', [deployment.subnetId])) === 2;
  });
  // The slot is posted again when the first task has expired, under the second version.
  await skip(local, solveSeconds + 1);
  await assigned(2);
  await skip(local, solveSeconds + 1);
  await market.waitFor((view) => {
    const ended = tasksOf(view).filter(({ state }) => isTerminal(state));
    return ended.length === 2 || undefined;
  }, signal);
  finished.abort();
  await master;

  const entries = await expectBooksToAgree(local);
  const penalties = entries.filter(({ reason }) => reason === 'penalty').map(({ amount }) => amount);
  expect(penalties).toEqual([pan(10), pan(25)]);
  const path = join(run.folder, 'deployment.json');
  await writeDeployment(path, deployment);
  const explainer = explainerOf(await readEvents({ deployment: path }, signal));
  const told = explainer?.explain(explainer.entries.filter(({ reason }) => reason === 'penalty'));
  expect(told?.map(({ formula }) => formula.split(':')[0])).toEqual([
    'stake 100 x liveness penalty 10 % = 10',
    'stake 100 x liveness penalty 25 % = 25',
  ]);
});
