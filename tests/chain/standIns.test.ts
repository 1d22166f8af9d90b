/** What workers call about checks and demands when their master is gone; the rest is in tests/e2e/keepers.test.ts. */
import { expect, test, vi } from 'vitest';
import { everyTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import { isTerminal } from '../../src/protocol/marketQueries.js';
import type { MarketView, TaskView } from '../../src/protocol/marketView.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { startTestChain, type TestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/processes.js';
import {
  assignedTo,
  firstWorker,
  startToyRun,
  type ToyRun,
  type ToyWorker,
  tasksOf,
} from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 180_000 });

/** A fourth of the time to draw is the longest that workers leave the calls to the master. */
const deadlines: Partial<SubnetParams> = {
  ...{ openSeconds: 16, solveSeconds: 5, challengeSeconds: 20, commitSeconds: 6 },
  ...{ revealSeconds: 6, appealSeconds: 1, clockSeconds: 6 },
};
const [first, second] = [firstWorker, firstWorker + 1];

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
  await using local = await startTestChain({ ...deadlines, ...everyTaskChecked });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const absent = { fault: 'absent-checker', audit: 'drawn', stakeAmount: pan(200) } as const;
  const workers = [await run.worker(first, absent), await run.worker(second, absent)];
  const { task, view } = await orphaned(run, local);
  expect(task.state).toBe('accepted');
  expect(view.checks.get(task.taskId)).toMatchObject({ outcome: 'unchecked', attempt: 2 });
  const keeping = ['fulfil', 'assignMany', 'drawChecker', 'closeCheck', 'finalizeMany'];
  await expectCalls(workers, keeping);
  await expectBooksToAgree(local);
});

test('a demand that nobody answers is closed, and convicts', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const cheat = await run.worker(first, { fault: 'hidden-trace', stakeAmount: pan(100) });
  const workers = [cheat];
  const posted = orphaned(run, local);
  await assignedTo(run, cheat.address, local.signal);
  workers.push(await run.worker(second, { stakeAmount: pan(100), audit: 'all' }));
  expect((await posted).task.state).toBe('rejected');
  await expectCalls(workers, ['demandLeaves', 'closeDemand']);
  await expectBooksToAgree(local);
});
