import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { disputeTask } from '../../src/actions/dispute.js';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { requireSigner } from '../../src/chain/client.js';
import { pan } from '../../src/chain/params.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import { positionKey } from '../../src/protocol/marketView.js';
import type { Submission } from '../../src/protocol/task.js';
import { createPurse } from '../../src/roles/purse.js';
import type { WorkerReport } from '../../src/roles/workerState.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { startTestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/processes.js';
import { honestParameters, toyCompute } from '../helpers/toyCompute.js';
import {
  firstWorker,
  masterAccount,
  passWindows,
  startToyRun,
  submittedBy,
  tasksOf,
} from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough for any machine; passed by the clock of the chain. */
const challengeSeconds = 60;

test('a master that starts again goes on with what it had posted, and posts nothing twice', async () => {
  await using local = await startTestChain({ challengeSeconds: 2 });
  await using run = await startToyRun(local, { rounds: 2 });
  const observer = await run.contextOf(0);
  const died = new AbortController();
  const first = run.master(died.signal).catch((error: Error) => error.message);
  await observer.market.waitFor((view) => tasksOf(view).length > 0 || undefined, local.signal);
  died.abort(new Error('the master died'));
  expect(await first).toBe('the master died');

  await run.worker(firstWorker);
  const version = await run.master();
  expect(version.parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(tasksOf(observer.market.view).map((task) => [task.round, task.slot])).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
});

test('a verifier that starts again in the middle of a vote opens its commitments to what it had found, and forgets it after the case', async () => {
  await using local = await startTestChain({ challengeSeconds, revealSeconds: 60, appealSeconds: 1 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const cheat = await run.worker(firstWorker, { fault: 'zero-delta', stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  const account = firstWorker + 1;
  let drain: () => Promise<WorkerReport> = () => Promise.reject(new Error('not started'));
  const stopped = new Promise<WorkerReport>((resolve) => {
    void run
      .worker(account, {
        audit: 'never',
        staySeconds: 0,
        stakeAmount: pan(100),
        onEvent: (event) => {
          if (event.type === 'transaction.sent' && event.what === 'commitVote') resolve(drain());
        },
      })
      .then((worker) => {
        drain = worker.drain;
      });
  });
  const disputer = await run.contextOf(9);
  const scratch = join(run.folder, 'disputer');
  const verdict = disputeTask({ taskId }, { ...disputer, compute: toyCompute(), scratch }, local.signal);
  expect((await stopped).voted).toBe(0);

  const after = await run.worker(account, { audit: 'never', stakeAmount: pan(100) });
  expect(await verdict).toMatchObject({ verdict: 'invalid', rounds: 1 });
  await passWindows(run, local, { seconds: challengeSeconds });
  await finished;
  const seats = casesOf(disputer.market.view, taskId)[0]?.rounds[0]?.seats;
  expect(seats?.map((seat) => [seat.voter, seat.verdict])).toEqual([
    [after.address, 'invalid'],
    [after.address, 'invalid'],
    [after.address, 'invalid'],
  ]);
  // What it finds now may be something else: a blob has come, or gone.
  expect(after.events.filter(({ type }) => type === 'vote.computed')).toEqual([]);
  const kept = async () =>
    (await readdir(join(run.folder, `worker_${account}`))).filter((name) => name.endsWith('.json'));
  await eventually(
    'what it kept is gone with the case and the tasks',
    async () => (await kept()).length === 0,
  );
  expect((await after.drain()).slashed).toBe(0n);
});

test('a solver that starts again answers a demand for its trace that was made while it was gone', async () => {
  await using local = await startTestChain({ challengeSeconds });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const solver = await run.worker(firstWorker, { staySeconds: 0 });
  const finished = run.master();
  const { taskId, terms, slot, submission } = await submittedBy(run, solver.address, local.signal);
  await solver.drain();
  const demander = await run.contextOf(9);
  const asker = requireSigner(demander.chain).address;
  await createPurse(demander).reserve(pan(10), local.signal);
  const asked = [terms, slot, submission as Submission] as const;
  await demander.contracts.challenge.write('demandLeaves', asked, local.signal);

  await demander.market.waitFor((view) => view.tasks.get(taskId)?.demand ?? undefined, local.signal);
  const again = await run.worker(firstWorker);
  await passWindows(run, local, { seconds: challengeSeconds });
  await finished;
  const task = demander.market.view.tasks.get(taskId);
  expect(task).toMatchObject({ state: 'accepted', solver: again.address, demand: { closed: true } });
  expect(task?.leaves).toHaveLength(terms.innerSteps + 1);
  expect((await again.drain()).slashed).toBe(0n);
  const paid = (await expectBooksToAgree(local)).filter(({ reason }) => reason === 'demand');
  expect(paid.map(({ from, to }) => from.owner ?? to.owner)).toEqual([asker, again.address]);
});

test('a solver that does not come back keeps its seat, since the market shows the trace that the Source of Truth has', async () => {
  await using local = await startTestChain({ solveSeconds: 30, challengeSeconds, clockSeconds: 30 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const solver = await run.worker(firstWorker, { staySeconds: 0 });
  const finished = run.master();
  const { taskId, terms, slot, submission } = await submittedBy(run, solver.address, local.signal);
  const { slashed } = await solver.drain();
  const demander = await run.contextOf(9);
  await createPurse(demander).reserve(pan(10), local.signal);
  const asked = [terms, slot, submission as Submission] as const;
  await demander.contracts.challenge.write('demandLeaves', asked, local.signal);
  await demander.market.waitFor((view) => view.tasks.get(taskId)?.demand ?? undefined, local.signal);
  await passWindows(run, local, { seconds: challengeSeconds });
  await finished;

  const { view } = demander.market;
  const task = view.tasks.get(taskId);
  expect(task).toMatchObject({ state: 'accepted', solver: solver.address, demand: { closed: true } });
  expect(task?.leaves).toHaveLength(terms.innerSteps + 1);
  expect(slashed).toBe(0n);
  const seat = view.positions.get(positionKey(local.deployment.subnetId, 'solver', solver.address));
  expect(seat).toMatchObject({ slashed: 0n, jailed: false });
  const paid = (await expectBooksToAgree(local)).filter(({ reason }) => reason === 'demand');
  const buyer = developmentAddresses(masterAccount + 1)[masterAccount];
  expect(paid.map(({ from, to }) => from.owner ?? to.owner)).toEqual([
    requireSigner(demander.chain).address,
    buyer,
  ]);
});

test('a worker that is asked to stop finishes and submits the task it is working on', async () => {
  await using local = await startTestChain({ challengeSeconds: 60 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const worker = await run.worker(firstWorker, { staySeconds: 20, compute: toyCompute({ stepMs: 400 }) });
  const stop = new AbortController();
  const master = run.master(stop.signal).catch(() => {});
  await eventually('the worker works', () => worker.events.some((event) => event.type === 'task.solving'));
  expect(await worker.drain()).toMatchObject({ solved: 1, slashed: 0n });
  const { market } = await run.contextOf(0);
  expect(tasksOf(market.view).map((task) => task.state)).toEqual(['submitted']);
  stop.abort();
  await master;
});

test('a submission whose nonce went to another transaction of the account is sent again, and not computed again', async () => {
  await using local = await startTestChain({ challengeSeconds: 4, solveSeconds: 40 });
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 });
  const { chain, contracts, market } = await run.contextOf(firstWorker);
  const { provider } = chain;
  let isPaused = false;
  const worker = await run.worker(firstWorker, {
    ...{ audit: 'drawn', stakeAmount: pan(100), compute: toyCompute({ stepMs: 200 }) },
    onEvent: (event) => {
      if (event.type !== 'task.solving' || isPaused) return;
      isPaused = true;
      void provider.send('evm_setIntervalMining', [0]);
    },
  });
  const finished = run.master();
  const waiting = async (): Promise<{ hash: string } | undefined> => {
    const { pending } = await provider.send('txpool_content', []);
    const [, sent = {}] =
      Object.entries<Record<string, { hash: string }>>(pending).find(
        ([sender]) => sender.toLowerCase() === worker.address.toLowerCase(),
      ) ?? [];
    return isPaused ? Object.values(sent)[0] : undefined;
  };
  await eventually('it submits', async () => (await waiting()) !== undefined);
  await provider.send('anvil_dropTransaction', [(await waiting())?.hash]);
  const other = await contracts.token.send('approve', [contracts.vault.address, 1n], local.signal);
  await provider.send('anvil_setIntervalMining', [1]);
  await other.confirmed();
  await finished;
  expect(tasksOf(market.view)).toMatchObject([{ state: 'accepted', attempt: 1, solver: worker.address }]);
  expect(worker.events.filter(({ type }) => type === 'task.solving')).toHaveLength(1);
  expect(await worker.drain()).toMatchObject({ solved: 1, slashed: 0n });
});
