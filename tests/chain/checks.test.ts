import { expect, test as one, vi } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import type { MarketFollower } from '../../src/chain/follow.js';
import { everyTaskChecked, noTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import { type CheckView, type MarketView, scoreKey, type TaskView } from '../../src/protocol/marketView.js';
import type { Address, Hex32 } from '../../src/protocol/task.js';
import type { Compute } from '../../src/roles/context.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { skip, startTestChain, type TestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/processes.js';
import { honestParameters, toyCompute } from '../helpers/toyCompute.js';
import {
  assignedTo,
  firstWorker,
  passWindows,
  startToyRun,
  type ToyRun,
  type ToyWorker,
  tasksOf,
} from '../helpers/toyRun.js';
import { passQuietWindows } from '../helpers/windows.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 240_000 });
// Each has a chain of its own, and waits for it most of the time.
const test = one.concurrent;

/** Long enough for a checker to stake and to be drawn where other tests take most of the machine; passed by the clock of the chain. */
const [challengeSeconds, busySeconds] = [120, 60];
const deadlines: Partial<SubnetParams> = {
  ...everyTaskChecked,
  ...{ openSeconds: 60, solveSeconds: busySeconds, challengeSeconds, commitSeconds: busySeconds },
  ...{ revealSeconds: busySeconds, clockSeconds: busySeconds, appealSeconds: 1 },
};
const [first, second, third] = [firstWorker, firstWorker + 1, firstWorker + 2];
/** Deadlines are far, but a draw has an epoch. */
const together = { together: true };
/** Nobody looks unasked. */
const drawn = { audit: 'drawn', stakeAmount: pan(100) } as const;

/** As soon as the result is checked. */
function passChecked(run: ToyRun, local: TestChain): Promise<void> {
  return passWindows(run, local, { seconds: challengeSeconds, areChecked: true });
}

/** The check of this task, as soon as it is so. */
function checkWhen(
  market: MarketFollower,
  taskId: Hex32,
  ask: (check: CheckView) => boolean,
  signal: AbortSignal,
): Promise<CheckView> {
  return market.waitFor((view) => [view.checks.get(taskId)].find((check) => check && ask(check)), signal);
}

async function slashedOf(workers: readonly ToyWorker[]): Promise<bigint[]> {
  return Promise.all(workers.map(async (worker) => (await worker.drain()).slashed));
}

test('every task of an honest run is checked, the checkers are paid, and the scores of the solvers rise', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 2 }, together);
  const workers = [await run.worker(first, drawn), await run.worker(second, drawn)];
  const { market, contracts, deployment } = await run.contextOf(0);
  await passChecked(run, local);
  expect((await run.master()).parameters).toBe(await honestParameters(run.manifest, run.folder));

  const { view } = market;
  const passed = { phase: 'over', outcome: 'passed', attempt: 1, whole: true };
  for (const task of tasksOf(view)) {
    expect(task.state).toBe('accepted');
    expect(view.checks.get(task.taskId)).toMatchObject(passed);
    expect(view.checks.get(task.taskId)?.checker).not.toBe(task.solver);
  }
  const scores = await Promise.all(
    workers.map(({ address }) => contracts.reputation.read('scoreOf', [deployment.subnetId, address])),
  );
  expect(scores.reduce((sum, score) => sum + score, 0)).toBe(2);
  expect(workers.map(({ address }) => view.scores.get(scoreKey(deployment.subnetId, address)) ?? 0)).toEqual(
    scores,
  );
  // The solvers had kept what their steps showed: nobody but the checkers computed anything again.
  const made = workers.flatMap(({ events }) => events.filter((event) => event.type === 'check.computed'));
  expect(made.map(({ steps, firstWrongStep }) => ({ steps, firstWrongStep }))).toEqual(
    tasksOf(view).map(() => ({ steps: run.manifest.innerSteps, firstWrongStep: null })),
  );
  expect(workers.flatMap(({ events }) => events.filter(({ type }) => type === 'audit.finished'))).toEqual([]);
  const paid = (await expectBooksToAgree(local)).filter(
    ({ reason, to }) => reason === 'check' && to.pocket === 'account',
  );
  expect(paid.map(({ amount }) => amount)).toEqual([pan(10), pan(10)]);
  expect(await slashedOf(workers)).toEqual([0n, 0n]);
});

test.each(['zero-delta', 'noise', 'wrong-result'])(
  'a %s cheat is caught by a drawn check alone, convicted, and its score is gone',
  async (fault) => {
    await using local = await startTestChain(deadlines);
    await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
    const cheat = await run.worker(first, { ...drawn, fault });
    const { market } = await run.contextOf(0);
    const finished = run.master();
    const { taskId } = await assignedTo(run, cheat.address, local.signal);
    const honest = [await run.worker(second, drawn), await run.worker(third, drawn)];
    await passChecked(run, local);
    expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));

    const { view } = market;
    expect(view.tasks.get(taskId)?.state).toBe('rejected');
    // Whoever had looked is paid for it, beside fee and bounty of the case.
    expect(view.checks.get(taskId)).toMatchObject({ phase: 'over', outcome: 'rejected' });
    expect(view.scores.get(scoreKey(local.deployment.subnetId, cheat.address)) ?? 0).toBe(0);
    expect(casesOf(view, taskId).map(({ verdict }) => verdict)).toEqual(['invalid']);
    const unasked = honest.flatMap(({ events }) => events.filter(({ type }) => type === 'audit.finished'));
    expect(unasked).toEqual([]);
    expect(await slashedOf([cheat, ...honest])).toEqual([pan(100), 0n, 0n]);
    await expectBooksToAgree(local);
  },
);

test('a solver that does not show what its trace is made of is convicted, though its result is right', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const mute = await run.worker(first, { ...drawn, fault: 'mute' });
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, mute.address, local.signal);
  const honest = await run.worker(second, drawn);
  const isReady = (task: TaskView) => task.taskId !== taskId;
  passQuietWindows(market, local, { seconds: challengeSeconds, isReady, over: run.over });
  await checkWhen(market, taskId, ({ phase }) => phase === 'answer', local.signal);
  await skip(local, busySeconds + 1);
  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));

  const { view } = market;
  expect(view.tasks.get(taskId)?.state).toBe('rejected');
  expect(view.checks.get(taskId)).toMatchObject({ outcome: 'silent', answers: null });
  expect(casesOf(view, taskId)).toEqual([]);
  expect(await slashedOf([mute, honest])).toEqual([pan(100), 0n]);
  const paid = (await expectBooksToAgree(local)).filter(
    ({ taskId: about, to }) => about === taskId && to.owner === honest.address,
  );
  expect(paid.map(({ reason, amount }) => [reason, amount])).toEqual([
    ['check', pan(10)],
    ['bounty', pan(30)],
  ]);
});

test('a checker that has not looked can not make its answers good and loses its bond, and the result is accepted', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const solver = await run.worker(first, drawn);
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, solver.address, local.signal);
  const lazy = await run.worker(second, { ...drawn, fault: 'lazy-checker' });
  await checkWhen(market, taskId, ({ phase }) => phase === 'dispute', local.signal);
  await skip(local, challengeSeconds + 1);
  await finished;

  const { view } = market;
  expect(view.tasks.get(taskId)?.state).toBe('accepted');
  expect(view.checks.get(taskId)).toMatchObject({ outcome: 'checkerFailed', checker: lazy.address });
  expect(view.scores.get(scoreKey(local.deployment.subnetId, solver.address))).toBeUndefined();
  expect(await slashedOf([solver, lazy])).toEqual([0n, pan(40)]);
  await expectBooksToAgree(local);
});

test('an absent checker loses its bond and is replaced once, then the task goes unchecked and the buyer has its fee back', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const solver = await run.worker(first, drawn);
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, solver.address, local.signal);
  // A seat that has lost a bond is not whole and not drawn, so there has to be another one.
  const absent = await run.worker(second, { ...drawn, fault: 'absent-checker', stakeAmount: pan(200) });
  for (const attempt of [1, 2]) {
    const isDrawn = (check: CheckView) => check.phase === 'commit' && check.attempt === attempt;
    await checkWhen(market, taskId, isDrawn, local.signal);
    await skip(local, busySeconds + 1);
  }
  await finished;

  const { view } = market;
  expect(view.tasks.get(taskId)?.state).toBe('accepted');
  expect(view.checks.get(taskId)).toMatchObject({ outcome: 'unchecked', attempt: 2 });
  expect(await slashedOf([solver, absent])).toEqual([0n, pan(80)]);
  await expectBooksToAgree(local);
});

test('where nobody but the solver could check, the result is accepted when its time is over', async () => {
  await using local = await startTestChain({ ...deadlines, challengeSeconds: 5 });
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const alone = await run.worker(first, drawn);
  const { market } = await run.contextOf(0);
  await run.master();
  expect(tasksOf(market.view).map(({ state }) => state)).toEqual(['accepted']);
  expect(market.view.checks.size).toBe(0);
  expect(await slashedOf([alone])).toEqual([0n]);
  await expectBooksToAgree(local);
});

test('a checker that dies between commitment and opening opens it when it is back, without computing again', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const solver = await run.worker(first, drawn);
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, solver.address, local.signal);
  let die = async () => {};
  const died = new Promise<void>((resolve) => {
    void run
      .worker(second, {
        ...{ ...drawn, staySeconds: 0 },
        onEvent: (event) => {
          if (event.type !== 'transaction.sent' || event.what !== 'commitCheck') return;
          void die().then(resolve);
        },
      })
      .then((worker) => {
        die = async () => void (await worker.drain());
      });
  });
  await died;
  expect(market.view.checks.get(taskId)?.revealed ?? null).toBeNull();
  const again = await run.worker(second, drawn);
  await passChecked(run, local);
  await finished;
  expect(market.view.checks.get(taskId)).toMatchObject({ outcome: 'passed', checker: again.address });
  const made = again.events.filter((event) => event.type === 'check.computed');
  expect(made.map(({ steps }) => steps)).toEqual([0]);
  expect(await slashedOf([solver, again])).toEqual([0n, 0n]);
  await expectBooksToAgree(local);
});

test('tasks of a newer version of the rules are answered and checked by its steps, also by workers that started before it', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const workers = [await run.worker(first, drawn), await run.worker(second, drawn)];
  const { contracts, deployment, market } = await run.contextOf(0);
  const { subnetId } = deployment;
  const params = await contracts.registry.read('paramsOf', [subnetId, 1]);
  await contracts.registry.write('addParams', [subnetId, { ...params, auditSteps: 4 }], local.signal);
  // Its notice, in which whoever is staked could leave.
  expect(await contracts.registry.read('currentVersion', [subnetId])).toBe(1);
  const { number } = market.head;
  await market.waitFor(
    (_, head) => head.number >= number + 4 * (params.cooldownEpochs + 1) || undefined,
    local.signal,
  );
  await passChecked(run, local);
  await run.master();
  const [task] = tasksOf(market.view);
  expect(task).toMatchObject({ state: 'accepted', paramsVersion: 2 });
  expect(market.view.checks.get(task?.taskId as Hex32)).toMatchObject({ outcome: 'passed' });
  expect(await slashedOf(workers)).toEqual([0n, 0n]);
  await expectBooksToAgree(local);
});

test('whether a task is checked is told by the version it was posted under, also by a master that started before that one', async () => {
  await using local = await startTestChain({ ...deadlines, ...noTaskChecked });
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 3 }, together);
  const workers = [await run.worker(first, drawn), await run.worker(second, drawn)];
  const { contracts, deployment, market } = await run.contextOf(0);
  const finished = run.master();
  await market.waitFor((view) => tasksOf(view).length > 0 || undefined, local.signal);
  const { subnetId } = deployment;
  const params = await contracts.registry.read('paramsOf', [subnetId, 1]);
  await contracts.registry.write('addParams', [subnetId, { ...params, ...everyTaskChecked }], local.signal);
  const inForce = () => contracts.registry.read('currentVersion', [subnetId]);
  await eventually('the new version is in force', async () => (await inForce()) === 2);
  const isReady = ({ taskId, paramsVersion }: TaskView, view: MarketView) =>
    paramsVersion === 1 || view.checks.has(taskId);
  passQuietWindows(market, local, { seconds: challengeSeconds, isReady, over: run.over });
  await finished;
  const tasks = tasksOf(market.view);
  expect(new Set(tasks.map(({ paramsVersion }) => paramsVersion))).toEqual(new Set([1, 2]));
  const checkedOnes = tasks.filter(({ taskId }) => market.view.checks.has(taskId));
  expect(checkedOnes).toEqual(tasks.filter(({ paramsVersion }) => paramsVersion === 2));
  expect(await slashedOf(workers)).toEqual([0n, 0n]);
  await expectBooksToAgree(local);
});

/** Stakes what it has, and lends the rest of its tokens out until somebody calls. */
async function without(run: ToyRun, account: number): Promise<() => Promise<unknown>> {
  const { contracts, chain } = await run.contextOf(account);
  const self = chain.signer?.address ?? '0x';
  const bank = developmentAddresses(20)[19] as Address;
  const lent = (await contracts.token.read('balanceOf', [self])) - pan(260);
  await contracts.token.write('transfer', [bank, lent], AbortSignal.timeout(30_000));
  const lender = await run.contextOf(19);
  return () => lender.contracts.token.write('transfer', [self, lent], AbortSignal.timeout(30_000));
}

test('a dispute for which there was no money at first is made in the window that the different answers open', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const cheat = await run.worker(first, { ...drawn, fault: 'noise' });
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, cheat.address, local.signal);
  // Seats for 100 and 160 PAN, and nothing left for a dispute.
  const giveBack = await without(run, second);
  const checker = await run.worker(second, drawn);
  await market.waitFor((view) => view.checks.get(taskId)?.phase === 'dispute' || undefined, local.signal);
  expect(casesOf(market.view, taskId)).toEqual([]);
  await giveBack();
  const others = [await run.worker(third, drawn)];
  await passChecked(run, local);
  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(market.view.checks.get(taskId)).toMatchObject({ outcome: 'rejected', checker: checker.address });
  expect(casesOf(market.view, taskId)).toMatchObject([{ disputer: checker.address, verdict: 'invalid' }]);
  expect(await slashedOf([cheat, checker, ...others])).toEqual([pan(100), 0n, 0n]);
  await expectBooksToAgree(local);
});

test.each([
  [
    'whose engine fails',
    { ...toyCompute(), createTrainer: () => Promise.reject(new Error('no engine today')) },
  ],
  ['that would not be done in time', toyCompute({ stepMs: 60_000 })],
])('a checker %s declines and keeps its bond, and the next one looks', async (_, compute) => {
  await using local = await startTestChain({ ...deadlines, solveSeconds: 20, commitSeconds: 24 });
  await using run = await startToyRun(local, { slotsPerRound: 1 }, together);
  const solver = await run.worker(first, drawn);
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, solver.address, local.signal);
  const unable = await run.worker(second, { ...drawn, compute });
  await market.waitFor(
    (view) => view.checks.get(taskId)?.checker === unable.address || undefined,
    local.signal,
  );
  const able = await run.worker(third, { ...drawn, stakeAmount: pan(2_000) });
  await passChecked(run, local);
  await finished;
  const declined = unable.events.filter(
    (event) => event.type === 'transaction.sent' && event.what === 'declineCheck',
  );
  expect(declined.length).toBeGreaterThan(0);
  expect(market.view.tasks.get(taskId)?.state).toBe('accepted');
  expect(market.view.checks.get(taskId)?.attempt).toBe(2);
  expect(await slashedOf([solver, unable, able])).toEqual([0n, 0n, 0n]);
  await expectBooksToAgree(local);
});

test('who looked at a result unasked and is then drawn to check it computes nothing a second time', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const toy = toyCompute();
  const held: Compute = { ...toy, batchAt: (...at) => begun.then(() => toy.batchAt(...at)) };
  const solver = await run.worker(first, { ...drawn, compute: held });
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await assignedTo(run, solver.address, local.signal);
  const auditor = await run.worker(second, { ...drawn, audit: 'all' });
  // From here on there are no blocks but ours, and the last of them is that of the submission: no checker is drawn.
  const { provider } = local.deployer;
  await provider.send('evm_setIntervalMining', [0]);
  begin();
  await eventually('the solver submits', async () => {
    if (Number((await provider.send('txpool_status', [])).pending) > 0) {
      await provider.send('evm_mine', []);
      await market.caughtUp(await provider.getBlockNumber(), local.signal);
    }
    return market.view.tasks.get(taskId)?.state === 'submitted';
  });
  await eventually('the auditor finds the result right', () =>
    auditor.events.some((event) => event.type === 'audit.finished' && event.taskId === taskId),
  );
  expect(market.view.checks.size).toBe(0);
  await passChecked(run, local);
  await provider.send('anvil_setIntervalMining', [1]);
  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(market.view.checks.get(taskId)).toMatchObject({ checker: auditor.address, outcome: 'passed' });
  const checked = auditor.events.flatMap((event) => (event.type === 'check.computed' ? [event] : []));
  expect(checked).toMatchObject([{ taskId, firstWrongStep: null, steps: 0, computeSeconds: 0 }]);
});
