/** What workers call about checks and demands when their master is gone; the rest is in tests/e2e/keepers.test.ts. */
import { expect, test, vi } from 'vitest';
import { connectContracts } from '../../src/chain/contracts.js';
import {
  everyTaskChecked,
  localParams,
  noTaskChecked,
  pan,
  type SubnetParams,
} from '../../src/chain/params.js';
import { casesOf, isTerminal } from '../../src/protocol/marketQueries.js';
import type { MarketView, TaskView } from '../../src/protocol/marketView.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { skip, startTestChain, type TestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/processes.js';
import { honestParameters } from '../helpers/toyCompute.js';
import {
  assignedTo,
  firstWorker,
  passWindows,
  startToyRun,
  submittedBy,
  type ToyRun,
  type ToyWorker,
  tasksOf,
} from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 240_000 });

/** What roles do takes what it takes on a busy machine; who does nothing is made late by the clock of the chain. */
const [busySeconds, challengeSeconds] = [30, 60];
/** A fourth of the time to draw is the longest that workers leave the calls to the master. */
const deadlines: Partial<SubnetParams> = {
  ...{ openSeconds: 32, solveSeconds: busySeconds, challengeSeconds, commitSeconds: busySeconds },
  ...{ revealSeconds: busySeconds, appealSeconds: 1, clockSeconds: busySeconds },
};
/** Epochs of two seconds: on a busy machine a shorter one is over before both calls of a draw are in it. */
const blockSeconds = 0.5;
const [first, second, third, fourth] = [firstWorker, firstWorker + 1, firstWorker + 2, firstWorker + 3];

/** The master posts its tasks and dies; what is to be known when nobody has anything left to call. */
async function orphaned(run: ToyRun, { signal }: TestChain): Promise<{ task: TaskView; view: MarketView }> {
  const { market } = await run.contextOf(0);
  const died = new AbortController();
  const posting = run.master(died.signal).catch(() => {});
  await market.waitFor((view) => tasksOf(view).length > 0 || undefined, signal);
  died.abort();
  await posting;
  const task = await market.waitFor((view) => tasksOf(view).find(({ state }) => isTerminal(state)), signal);
  const isOver = ({ cases, checks }: MarketView) =>
    [...checks.values()].every(({ phase }) => phase === 'over') &&
    [...cases.values()].every(
      ({ settled, rounds }) => settled && rounds.every(({ seats }) => seats.every(({ closed }) => closed)),
    );
  await market.waitFor((view) => isOver(view) || undefined, signal);
  return { task, view: market.view };
}

/** What a process says may come after what the chain shows. */
async function expectCalls(workers: readonly ToyWorker[], calls: readonly string[]): Promise<void> {
  await eventually(`the workers make ${calls}`, () => {
    const events = workers.flatMap((worker) => worker.events);
    return calls.every((call) =>
      events.some((event) => event.type === 'transaction.sent' && event.what === call),
    );
  });
}

test('checkers are drawn, and checks that nobody made are closed', async () => {
  await using local = await startTestChain({ ...deadlines, ...everyTaskChecked }, blockSeconds);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const absent = { fault: 'absent-checker', audit: 'drawn', stakeAmount: pan(200) } as const;
  const workers = [await run.worker(first, absent), await run.worker(second, absent)];
  const posted = orphaned(run, local);
  const { market } = await run.contextOf(0);
  for (const attempt of [1, 2]) {
    const isDrawn = ({ checks }: MarketView) =>
      [...checks.values()].some((check) => check.phase === 'commit' && check.attempt === attempt);
    await market.waitFor((view) => isDrawn(view) || undefined, local.signal);
    await skip(local, busySeconds + 1);
  }
  const { task, view } = await posted;
  expect(task.state).toBe('accepted');
  expect(view.checks.get(task.taskId)).toMatchObject({ outcome: 'unchecked', attempt: 2 });
  const keeping = ['fulfil', 'assignMany', 'drawChecker', 'closeCheck', 'finalizeMany'];
  await expectCalls(workers, keeping);
  await expectBooksToAgree(local);
});

test('a demand that nobody answers is closed, and convicts', async () => {
  // Within the window somebody stakes and finds the leaves missing.
  await using local = await startTestChain(deadlines, blockSeconds);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const cheat = await run.worker(first, { fault: 'hidden-trace', stakeAmount: pan(100) });
  const workers = [cheat];
  const posted = orphaned(run, local);
  await assignedTo(run, cheat.address, local.signal);
  workers.push(await run.worker(second, { stakeAmount: pan(100), audit: 'all' }));
  const { market } = await run.contextOf(0);
  const isDemanded = (view: MarketView) => tasksOf(view).some(({ demand }) => demand?.closed === false);
  await market.waitFor((view) => isDemanded(view) || undefined, local.signal);
  await skip(local, busySeconds + 1);
  expect((await posted).task.state).toBe('rejected');
  await expectCalls(workers, ['demandLeaves', 'closeDemand']);
  await expectBooksToAgree(local);
});

test('a panel that nobody votes in is advanced, and the round that the master left ends as if nothing had been', async () => {
  await using local = await startTestChain(deadlines, blockSeconds);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const cheat = await run.worker(first, { fault: 'zero-delta', audit: 'never', stakeAmount: pan(100) });
  const died = new AbortController();
  const posting = run.master(died.signal).catch((error: Error) => error.message);
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  died.abort(new Error('the master died'));
  expect(await posting).toBe('the master died');

  // Four bonds, three of them for the whole panel: whoever accuses has no stake.
  const absent = await run.worker(second, {
    ...{ fault: 'absent-verifier', audit: 'never', stakeAmount: pan(100) },
  });
  const auditor = await run.worker(third, { audit: 'all', stakeAmount: 0n });
  const { market } = await run.contextOf(0);
  const panelOf = (view: MarketView) => casesOf(view, taskId)[0]?.rounds[0];
  const seated = await market.waitFor((view) => panelOf(view)?.seats[2] && panelOf(view), local.signal);
  expect(new Set(seated.seats.map(({ voter }) => voter))).toEqual(new Set([absent.address]));
  const honest = await run.worker(fourth, { audit: 'never', stakeAmount: pan(400) });
  // The first panel is late when everybody is there, and the second has the time that it needs.
  await skip(local, busySeconds + 1);

  const settled = await market.waitFor((view) => {
    const kase = casesOf(view, taskId)[0];
    const isPaid = kase?.rounds.every(({ seats }) => seats.every(({ closed }) => closed));
    return kase?.settled && isPaid ? kase : undefined;
  }, local.signal);
  expect(settled).toMatchObject({ verdict: 'invalid', moot: false });
  // The second panel of the same round was drawn because somebody had said that the first one was late.
  await expectCalls([absent, auditor, honest], ['advance', 'drawSeats', 'settle', 'closeSeats']);

  await passWindows(run, local, { seconds: challengeSeconds });
  expect((await run.master()).parameters).toBe(await honestParameters(run.manifest, run.folder));
  const states = tasksOf(market.view).map((task) => [task.taskId === taskId, task.state]);
  expect(states).toEqual([[true, 'rejected'], ...new Array(run.manifest.rounds).fill([false, 'accepted'])]);
  const lost = [...market.view.positions.values()].filter(({ slashed }) => slashed > 0n);
  expect(new Map(lost.map(({ account, slashed }) => [account, slashed]))).toEqual(
    new Map([
      [cheat.address, pan(100)],
      [absent.address, pan(120)],
    ]),
  );
  await expectBooksToAgree(local);
});

test('a task of a version that came into force after the workers had started is drawn in the time which that version gives', async () => {
  await using local = await startTestChain({ ...deadlines, openSeconds: 600 }, blockSeconds);
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 });
  const workers = [await run.worker(first, { audit: 'never', stakeAmount: pan(100) })];
  const { deployer, deployment, signal } = local;
  const { registry } = connectContracts(deployer, deployment);
  // Under the version they know they would wait for 15 seconds, and 10 more by the place of the first account, which is too late.
  const params = localParams({ ...noTaskChecked, ...deadlines, openSeconds: 20, challengeSeconds: 10 });
  await registry.write('addParams', [deployment.subnetId, params], signal);
  await eventually('the new version is in force', async () => {
    return (await registry.read('currentVersion', [deployment.subnetId])) === 2;
  });
  const { task } = await orphaned(run, local);
  expect([task.paramsVersion, task.state]).toEqual([2, 'accepted']);
  await expectCalls(workers, ['assignMany', 'finalizeMany']);
});
