import { expect, test, vi } from 'vitest';
import { everyTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { startTestChain } from '../helpers/chain.js';
import {
  firstWorker,
  passWindows,
  startToyRun,
  type ToyRun,
  type ToyWorker,
  tasksOf,
} from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Less than who is told to stop may stay, and otherwise as long as a busy machine needs; passed by the clock of the chain. */
const challengeSeconds = 45;
const deadlines: Partial<SubnetParams> = {
  ...{ openSeconds: 60, solveSeconds: 30, challengeSeconds, commitSeconds: 30 },
  ...{ revealSeconds: 30, clockSeconds: 30, appealSeconds: 1 },
};
const [first, second] = [firstWorker, firstWorker + 1];

/** Sends it the first Ctrl-C in the moment in which its transaction `what` is in a block. */
function stoppedAfter(run: ToyRun, account: number, what: string, staySeconds: number) {
  let stop = (_: PanthaliaEvent) => {};
  const worker = run.worker(account, {
    ...{ audit: 'drawn', stakeAmount: pan(100), staySeconds },
    onEvent: (event) => stop(event),
  });
  const report = worker.then(
    (started: ToyWorker) =>
      new Promise<ReturnType<ToyWorker['drain']>>((resolve) => {
        stop = (event) => {
          if (event.type === 'transaction.sent' && event.what === what) resolve(started.drain());
        };
      }),
  );
  return { worker, report };
}

function owesIn({ events }: ToyWorker): string[] {
  return events.flatMap((event) =>
    event.type === 'alert' && event.code === 'worker.owes' ? [event.message] : [],
  );
}

test('a solver that is told to stop stays for its result: it says so, and answers the check of it', async () => {
  await using local = await startTestChain({ ...deadlines, ...everyTaskChecked });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const { market } = await run.contextOf(0);
  const both = [stoppedAfter(run, first, 'submit', 60), stoppedAfter(run, second, 'submit', 60)];
  const workers = await Promise.all(both.map(({ worker }) => worker));
  await passWindows(run, local, { seconds: challengeSeconds, areChecked: true });
  const finished = run.master();
  expect(await Promise.race(both.map(({ report }) => report))).toMatchObject({ solved: 1, slashed: 0n });
  // Its own view may be ahead of the one that is looked at here.
  await finished;

  const [task] = tasksOf(market.view);
  const taskId = task?.taskId ?? '0x';
  const solver = workers.find(({ address }) => address === task?.solver) as ToyWorker;
  const checker = workers.find(({ address }) => address !== task?.solver) as ToyWorker;
  expect(market.view.checks.get(taskId)).toMatchObject({ outcome: 'passed', checker: checker.address });
  expect(market.view.tasks.get(taskId)?.state).toBe('accepted');
  // Its view of the chain may be a block behind its own transaction.
  expect(owesIn(solver)).toEqual([
    expect.stringMatching(
      /^Still owed: (1 result in the window until|task 0x\w{8} to be solved by) [\d:]{8}\. Staying until .* A second Ctrl-C leaves, which (risks 100|costs 10) PAN/,
    ),
  ]);
  await expectBooksToAgree(local);
});

test('a solver that is told to stop shows its trace to whoever demands it after that', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const other = await run.contextOf(9);
  const stopped = stoppedAfter(run, first, 'submit', 60);
  const finished = run.master();
  const solver = await stopped.worker;
  const task = await other.market.waitFor(
    (view) => tasksOf(view).find(({ submission }) => submission !== null),
    local.signal,
  );
  const { contracts } = other;
  await contracts.token.write('approve', [contracts.vault.address, pan(10)], local.signal);
  await contracts.vault.write('deposit', [pan(10)], local.signal);
  if (task.submission === null) throw new Error('it was submitted');
  await contracts.challenge.write('demandLeaves', [task.terms, task.slot, task.submission], local.signal);
  await other.market.waitFor((view) => view.tasks.get(task.taskId)?.demand ?? undefined, local.signal);
  await passWindows(run, local, { seconds: challengeSeconds });
  expect(await stopped.report).toMatchObject({ solved: 1, slashed: 0n });
  await finished;
  const { leaves, state } = other.market.view.tasks.get(task.taskId) ?? {};
  expect([leaves?.length, state]).toEqual([run.manifest.innerSteps + 1, 'accepted']);
  expect(owesIn(solver)).toHaveLength(1);
});

test('a checker that is told to stop after its commitment opens it', async () => {
  await using local = await startTestChain({ ...deadlines, ...everyTaskChecked });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const { market } = await run.contextOf(0);
  const both = [stoppedAfter(run, first, 'commitCheck', 60), stoppedAfter(run, second, 'commitCheck', 60)];
  const workers = await Promise.all(both.map(({ worker }) => worker));
  await passWindows(run, local, { seconds: challengeSeconds, areChecked: true });
  const finished = run.master();
  expect(await Promise.race(both.map(({ report }) => report))).toMatchObject({ checked: 1, slashed: 0n });
  await finished;
  const [check] = market.view.checks.values();
  expect(check?.outcome).toBe('passed');
  const checker = workers.find(({ address }) => address === check?.checker) as ToyWorker;
  expect(owesIn(checker)).toEqual([
    expect.stringMatching(/the check on task 0x\w{8} to be (made|opened) by .*costs 40 PAN/),
  ]);
});

test('what ends later than it may stay is told and not waited for', async () => {
  await using local = await startTestChain({ ...deadlines, challengeSeconds: 3_000 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const stopped = stoppedAfter(run, first, 'submit', 2);
  const finished = run.master().catch(() => {});
  const solver = await stopped.worker;
  expect(await stopped.report).toMatchObject({ solved: 1 });
  // Its view of the chain may be a block behind its own transaction.
  const [told] = owesIn(solver);
  expect(told).toMatch(
    /^Still owed: (1 result in the window until|task 0x\w{8} to be solved by) [\d:]{8}\. /,
  );
  expect(told).toMatch(/(\. Leaving, which risks 100 PAN if somebody asks|costs 10 PAN)/);
  void finished;
});

test('who leaves is told that its seats stay drawn, and how to take them back', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const worker = await run.worker(first, { audit: 'drawn', stakeAmount: pan(200) });
  const told = () =>
    worker.events.flatMap((event) =>
      event.type === 'alert' && event.code === 'worker.staked' ? [event.message] : [],
    );
  expect(told()).toEqual([`${worker.address} has 2 solver seats and 2 verifier seats staked.`]);
  await worker.drain();
  expect(told().slice(1)).toEqual([
    expect.stringMatching(
      /^What stays staked .*: 2 solver seats and 2 verifier seats\. panthalia unstake asks/,
    ),
  ]);
});
