import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { tellTask, tellWhy } from '../../src/actions/tellTask.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { pan, type SubnetParams } from '../../src/chain/params.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { skip, startTestChain } from '../helpers/chain.js';
import { honestParameters } from '../helpers/toyCompute.js';
import { assignedTo, firstWorker, passWindows, startToyRun } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough for any machine; what has to pass is passed by the clock of the chain. */
const [solveSeconds, clockSeconds, challengeSeconds] = [60, 60, 120];
const deadlines: Partial<SubnetParams> = {
  ...{ solveSeconds, clockSeconds, challengeSeconds, commitSeconds: 60 },
  ...{ revealSeconds: 60, appealSeconds: 1 },
};
const [first, second, third] = [firstWorker, firstWorker + 1, firstWorker + 2];

test('a zero-delta cheat is disputed by its auditor, convicted by three verifiers, slashed, and its slot solved again', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, {}, { together: true });
  const cheat = await run.worker(first, { fault: 'zero-delta', stakeAmount: pan(100) });
  const observer = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, cheat.address, local.signal);
  const honest = [await run.worker(second, { audit: 'all' }), await run.worker(third, { audit: 'all' })];
  await passWindows(run, local, { seconds: challengeSeconds, auditors: honest });
  const version = await finished;

  expect(version.parameters).toBe(await honestParameters(run.manifest, run.folder));
  const { view } = observer.market;
  expect(view.tasks.get(taskId)?.state).toBe('rejected');
  // Both honest workers audit it: whoever was second has a case that is moot, or none.
  const [kase, ...others] = casesOf(view, taskId).filter(({ verdict }) => verdict === 'invalid');
  expect(others).toEqual([]);
  expect(kase?.verdict).toBe('invalid');
  expect(kase?.rounds).toHaveLength(1);
  expect(kase?.rounds[0]).toMatchObject({ size: 3, fee: pan(30), ruling: 'invalid' });
  expect(kase?.rounds[0]?.seats.map((seat) => seat.paid)).toEqual([pan(10), pan(10), pan(10)]);
  const audits = honest.flatMap(({ events }) => events.filter((event) => event.type === 'audit.finished'));
  const onCheat = audits.filter((audit) => audit.taskId === taskId);
  expect(onCheat.map((audit) => audit.firstWrongStep)).toEqual(onCheat.map(() => 0));
  expect((await cheat.drain()).slashed).toBe(pan(100));
  for (const worker of honest) expect((await worker.drain()).slashed).toBe(0n);
  const moved = (await expectBooksToAgree(local)).filter((entry) => entry.taskId === taskId);
  expect(moved.filter(({ reason }) => reason === 'bounty').map(({ amount }) => amount)).toEqual([pan(30)]);

  // The same, asked of the chain by somebody who has no journal.
  const deployment = join(run.folder, 'deployment.json');
  await writeDeployment(deployment, local.deployment);
  const why = await tellWhy({ deployment }, taskId, local.signal);
  expect(why.payments.filter(({ reason }) => reason === 'bounty').map(({ formula }) => formula)).toEqual([
    'stake 100 x bounty 30 % = 30',
  ]);
  const told = await tellTask({ deployment }, taskId.slice(0, 12), local.signal);
  expect(told.task).toMatchObject({ state: 'rejected', disputedStep: 0 });
  expect(told.dispute?.panels).toHaveLength(1);
});

test('a result that was withheld is published by the auditor, and the round closes', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const withholder = await run.worker(first, { fault: 'withhold', stakeAmount: pan(100) });
  const finished = run.master();
  await assignedTo(run, withholder.address, local.signal);
  const auditor = await run.worker(second, { audit: 'all' });
  await passWindows(run, local, { seconds: challengeSeconds, auditors: [auditor] });

  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(withholder.events.some((event) => event.type === 'blob.pushed')).toBe(false);
  expect((await auditor.drain()).audited).toBe(1);
  expect((await withholder.drain()).solved).toBe(1);
});

test('a solver that delivers nothing loses a tenth of its seat, and another one solves the task', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const silent = await run.worker(first, { fault: 'silent', stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await assignedTo(run, silent.address, local.signal);
  const honest = await run.worker(second);
  await skip(local, solveSeconds + 1);
  await passWindows(run, local, { seconds: challengeSeconds, auditors: [] });

  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  const { market } = await run.contextOf(0);
  expect(market.view.tasks.get(taskId)).toMatchObject({
    state: 'accepted',
    attempt: 2,
    solver: honest.address,
  });
  expect((await silent.drain()).slashed).toBe(pan(10));
  await expectBooksToAgree(local);
});

test('a solver that shows its trace to nobody is asked for it on chain, and convicted when it does not answer', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const hider = await run.worker(first, { fault: 'hidden-trace', stakeAmount: pan(100) });
  const observer = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, hider.address, local.signal);
  const honest = await run.worker(second, { audit: 'all' });
  await passWindows(run, local, { seconds: challengeSeconds, auditors: [honest] });
  await observer.market.waitFor((view) => view.tasks.get(taskId)?.demand ?? undefined, local.signal);
  await skip(local, clockSeconds + 1);

  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  const task = observer.market.view.tasks.get(taskId);
  expect(task).toMatchObject({
    state: 'rejected',
    demand: { by: honest.address, closed: true },
    leaves: null,
  });
  expect(casesOf(observer.market.view, taskId)).toEqual([]);
  // Silence is its own doing, as a lie is.
  expect((await hider.drain()).slashed).toBe(pan(100));
  expect((await honest.drain()).slashed).toBe(0n);
  const moved = (await expectBooksToAgree(local)).filter((entry) => entry.taskId === taskId);
  const bounties = moved.filter(({ reason }) => reason === 'bounty');
  expect(bounties.map(({ to, amount }) => [to.owner, amount])).toEqual([[honest.address, pan(30)]]);
});

test('a solver that shows a wrong trace only when it must is convicted of its first wrong step, at a step a vote', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const late = await run.worker(first, { fault: 'late-trace', stakeAmount: pan(100) });
  const observer = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, late.address, local.signal);
  const honest = await run.worker(second, { audit: 'all' });
  await passWindows(run, local, { seconds: challengeSeconds, auditors: [honest] });

  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  const { view } = observer.market;
  const demand = { by: honest.address, closed: true };
  expect(view.tasks.get(taskId)).toMatchObject({ state: 'rejected', disputedStep: 0, demand });
  expect(casesOf(view, taskId)).toMatchObject([{ step: 0, verdict: 'invalid' }]);
  const votes = honest.events.filter((event) => event.type === 'vote.computed');
  expect(votes.map(({ steps }) => steps)).toEqual([1, 1, 1]);
  expect((await late.drain()).slashed).toBe(pan(100));
  await expectBooksToAgree(local);
});
