import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { disputeTask } from '../../src/actions/dispute.js';
import type { TaskAnswer } from '../../src/actions/tellTask.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { everyTaskChecked, localParams, pan, type SubnetParams } from '../../src/chain/params.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import type { MarketView } from '../../src/protocol/marketView.js';
import type { Hex32 } from '../../src/protocol/task.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { type Actor, actor, skip, startTestChain, type TestChain, testTerms } from '../helpers/chain.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';
import { toyCompute } from '../helpers/toyCompute.js';
import { firstWorker, passWindows, startToyRun, submittedBy, tasksOf } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 180_000 });

/** Long enough for any machine; what has to pass is passed by the clock of the chain. */
const challengeSeconds = 120;
const deadlines: Partial<SubnetParams> = {
  ...{ solveSeconds: 60, challengeSeconds, commitSeconds: 60, revealSeconds: 60, appealSeconds: 1 },
};
const [buyerAccount, disputerAccount] = [12, 9];

/** What `panthalia status <taskId> --json` says to somebody who has the deployment file and nothing else. */
async function statusOf(local: TestChain, taskId: Hex32): Promise<TaskAnswer> {
  const file = join(temporaryFolder(), 'deployment.json');
  await writeDeployment(file, local.deployment);
  const { code, out, err } = await runCli(['status', taskId, '--deployment', file, '--json']);
  expect([code, err]).toEqual([0, []]);
  return JSON.parse(out.at(-1) ?? 'null').data as TaskAnswer;
}

/** The sentences of its life, with the names of everything in them left out. */
function lifeOf({ timeline }: TaskAnswer): string[] {
  return timeline.map(({ text }) => text.replaceAll(/0x[0-9a-fA-F]+/g, '_').replaceAll(/\d+/g, 'n'));
}

/** Reason and amount of each payment because of the task. */
function paymentsOf({ payments }: TaskAnswer): string[] {
  return payments.map(({ reason, amount }) => `${reason} ${amount}`);
}

/** Posts one task in slot 0, in the first block of an epoch: a cancellation must come before the next one. */
async function post({ contracts, chain }: Actor, local: TestChain, salt: number) {
  const { provider } = local.deployer;
  const length = Number(await contracts.beacon.read('epochLength', []));
  while (((await provider.getBlockNumber()) + 1) % length !== 0) await provider.send('evm_mine', []);
  const buyer = chain.signer?.address ?? '0x';
  const terms = {
    ...testTerms(local.deployment.subnetId, buyer),
    salt,
  };
  await contracts.market.write('createBatch', [terms], local.signal);
  const batchId = await contracts.market.read('batchIdOf', [terms]);
  return { terms, taskId: await contracts.market.read('taskIdOf', [batchId, 0]) };
}

test('a task that is cancelled, and one that nobody was drawn for', async () => {
  await using local = await startTestChain(deadlines);
  const { provider } = local.deployer;
  const buyer = await actor(local, buyerAccount);
  const { market, vault, token } = buyer.contracts;
  await token.write('approve', [vault.address, pan(100)], local.signal);
  await vault.write('deposit', [pan(100)], local.signal);
  // Blocks come with the transactions now, and the clock of the chain moves when we say so.
  await provider.send('evm_setIntervalMining', [0]);
  await provider.send('evm_setAutomine', [true]);

  const cancelled = await post(buyer, local, 1);
  await market.write('cancel', [cancelled.terms, 0], local.signal);
  const expired = await post(buyer, local, 2);
  await provider.send('evm_increaseTime', [61]);
  await provider.send('evm_mine', []);
  await market.write('expire', [expired.terms, 0], local.signal);
  buyer.chain[Symbol.dispose]();

  const first = await statusOf(local, cancelled.taskId);
  expect(first.task).toMatchObject({ state: 'cancelled', solver: null, assignedAt: null, attempt: 1 });
  const again = 'slot n is posted again as task _';
  expect(lifeOf(first)).toEqual(['n task of round n posted at n', 'task _ cancelled', again]);
  expect(paymentsOf(first)).toEqual(['escrow 10', 'refund 10']);
  expect(first).toMatchObject({ postedBefore: null, postedAgain: expired.taskId, disputes: [] });

  const second = await statusOf(local, expired.taskId);
  expect(second.task).toMatchObject({ state: 'expired', solver: null });
  expect(second).toMatchObject({ postedBefore: cancelled.taskId, postedAgain: null });
  expect(second.task.endedAt ?? 0).toBeGreaterThan(second.task.postedAt + 60);
  expect(lifeOf(second)).toEqual(['n task of round n posted at n', 'task _ expired']);
  expect(paymentsOf(second)).toEqual(['escrow 10', 'refund 10']);
});

test('a task that is rejected, the one that is posted in its place, and that it is accepted', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const cheat = await run.worker(firstWorker, { fault: 'zero-delta', stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  const honest = await run.worker(firstWorker + 1, { audit: 'all' });
  await passWindows(run, local, { seconds: challengeSeconds, auditors: [honest] });
  await finished;

  const rejected = await statusOf(local, taskId);
  const voter = honest.address.slice(0, 10);
  expect(rejected.task).toMatchObject({ state: 'rejected', disputer: voter, disputedStep: 0, attempt: 1 });
  expect(rejected.disputes).toMatchObject([{ step: 0, verdict: 'invalid', panels: [{ ruling: 'invalid' }] }]);
  const seats = rejected.disputes[0]?.panels[0]?.seats ?? [];
  expect(seats.map(({ voter: who, vote, got }) => [who, vote, got])).toEqual(
    new Array(3).fill([voter, 'invalid', '10']),
  );
  const life = lifeOf(rejected);
  const inOrder = [
    ...['n task of round n posted at n', 'task _ is drawn for _', 'task _ submitted by _'],
    ...['_ commits to a dispute with n', 'task _ disputed by _: step n is wrong'],
    ...[
      'case _: panel n of n for n',
      'case _: _ has seat n',
      'case _: panel n is drawn, and may commit its votes',
    ],
    ...[
      'case _: _ commits the vote of seat n',
      'case _: the votes of panel n may be revealed',
      'case _: _ votes invalid',
    ],
    ...['case _: panel n rules invalid', 'task _ of _ rejected', '_ is slashed n', 'case _ settled: invalid'],
    'slot n is posted again as task _',
  ];
  expect([...new Set(life)].filter((sentence) => inOrder.includes(sentence))).toEqual(inOrder);
  expect(life.filter((sentence) => sentence === 'case _: _ gets n')).toHaveLength(3);
  expect(life).toContain('_ is no longer drawn as solver');
  const moved = paymentsOf(rejected);
  for (const payment of ['escrow 10', 'refund 10', 'bounty 30', 'burn 30']) expect(moved).toContain(payment);

  const again = rejected.postedAgain as Hex32;
  const accepted = await statusOf(local, again);
  expect(accepted).toMatchObject({ postedBefore: taskId, postedAgain: null });
  expect(accepted.task).toMatchObject({ state: 'accepted', solver: voter, disputer: null });
  expect(lifeOf(accepted)).toEqual([
    ...['n task of round n posted at n', 'task _ is drawn for _', 'task _ submitted by _'],
    'task _ accepted, _ is paid',
  ]);
  expect(paymentsOf(accepted)).toEqual(['escrow 10', 'price 10']);
});

test('a task is voided when what the buyer had to provide can not be had', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const solver = await run.worker(firstWorker, {
    fault: 'zero-delta',
    stakeAmount: pan(100),
    audit: 'never',
  });
  const finished = run.master().catch(() => {});
  const { taskId, specHash } = await submittedBy(run, solver.address, local.signal);
  const context = await run.contextOf(disputerAccount);
  const disputer = { ...context, compute: toyCompute(), scratch: join(run.folder, 'disputer') };
  const verdict = disputeTask({ taskId, maxFee: pan(30) }, disputer, local.signal).catch((error) => error);
  await context.market.waitFor((view) => casesOf(view, taskId)[0], local.signal);
  const spec = join(run.folder, 'sot', 'blobs', specHash.slice(2, 4), specHash.slice(4));
  expect(existsSync(spec)).toBe(true);
  rmSync(spec);
  await run.worker(firstWorker + 1, { audit: 'never', stakeAmount: pan(100) });
  expect(await verdict).toMatchObject({ taskId, verdict: 'unavailable' });
  // Its slot is posted again, with the spec.
  await context.market.waitFor((view) => tasksOf(view)[1], local.signal);

  const voided = await statusOf(local, taskId);
  expect(voided.task).toMatchObject({ state: 'voided', disputedStep: 0 });
  expect(voided.disputes).toMatchObject([{ verdict: 'unavailable', panels: [{ ruling: 'unavailable' }] }]);
  const life = lifeOf(voided);
  for (const sentence of ['case _: _ votes unavailable', 'task _ voided', 'case _ settled: unavailable']) {
    expect(life).toContain(sentence);
  }
  expect(voided.postedAgain).toBe(tasksOf(context.market.view)[1]?.taskId);
  expect(life.at(-1)).toBe('slot n is posted again as task _');
  await run[Symbol.asyncDispose]();
  await finished;
});

test('a task about which a case ended without a verdict is undecided: it can be disputed again, and nobody is paid', async () => {
  await using local = await startTestChain({ ...deadlines, challengeSeconds: 600 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const cheat = await run.worker(firstWorker, {
    ...{ fault: 'zero-delta', stakeAmount: pan(100), audit: 'never' },
  });
  const finished = run.master().catch(() => {});
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  const { market, ...context } = await run.contextOf(disputerAccount);
  const disputer = { ...context, market, compute: toyCompute(), scratch: join(run.folder, 'disputer') };
  const outcome = disputeTask({ taskId, maxFee: pan(30) }, disputer, local.signal).catch((error) => error);
  await market.waitFor((view) => casesOf(view, taskId)[0]?.rounds[0], local.signal);
  // Nobody but the solver can be drawn, and it is not judged by itself: the time to draw passes.
  const { openSeconds, commitSeconds, revealSeconds, appealSeconds } = localParams(deadlines);
  const toDraw = openSeconds + 2 * (commitSeconds + revealSeconds + appealSeconds);
  await local.deployer.provider.send('evm_increaseTime', [toDraw + 1]);
  const { challengeBy } = await market.waitFor(
    (view) => [view.tasks.get(taskId)].find((task) => task?.state === 'undecided'),
    local.signal,
  );
  expect(await outcome).toMatchObject({ code: 'dispute.no_verdict', details: { taskId } });

  const answer = await statusOf(local, taskId);
  expect(answer.task).toMatchObject({ state: 'undecided', disputedStep: 0 });
  expect(challengeBy).toBeGreaterThan(market.head.timestamp);
  expect(answer.disputes).toMatchObject([{ verdict: 'none' }]);
  expect(answer.disputes[0]?.panels[0]?.seats ?? []).toEqual([]);
  expect(lifeOf(answer)).toContain('task _ is undecided: a case about it ended without a verdict');
  expect(paymentsOf(answer)).not.toContain('price 10');
  await run[Symbol.asyncDispose]();
  await finished;
});

test('a task that was drawn for a check, with the trace demanded beside it', async () => {
  await using local = await startTestChain({ ...deadlines, ...everyTaskChecked });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  for (const account of [firstWorker, firstWorker + 1]) {
    await run.worker(account, { audit: 'drawn', stakeAmount: pan(100) });
  }
  const other = await run.contextOf(disputerAccount);
  const { token, vault, challenge } = other.contracts;
  await token.write('approve', [vault.address, pan(10)], local.signal);
  await vault.write('deposit', [pan(10)], local.signal);
  const finished = run.master();
  const task = await other.market.waitFor(
    (view) => tasksOf(view).find(({ submission }) => submission !== null),
    local.signal,
  );
  if (task.submission === null) throw new Error('it was submitted');
  await challenge.write('demandLeaves', [task.terms, task.slot, task.submission], local.signal);
  const isPassed = ({ checks, tasks }: MarketView) =>
    checks.get(task.taskId)?.outcome === 'passed' && tasks.get(task.taskId)?.demand?.closed;
  await other.market.waitFor((view) => isPassed(view) || undefined, local.signal);
  await skip(local, challengeSeconds + 1);
  await finished;

  const answer = await statusOf(local, task.taskId);
  expect(answer.task).toMatchObject({ state: 'accepted', check: { outcome: 'passed' } });
  const life = lifeOf(answer);
  for (const sentence of [
    ...['_ demands the trace of task _ on chain', '_ shows the trace of task _'],
    ...['_ is drawn to check all of task _', '_ has looked at task _'],
    ...['the solver of task _ shows what its trace is made of', '_ has seen the same in task _'],
    ...['the check of task _ is passed, _ gets n', 'task _ accepted, _ is paid'],
  ]) {
    expect(life).toContain(sentence);
  }
});

test('a task that nobody solves expires after the last attempt, and tells of each', async () => {
  await using local = await startTestChain({ ...deadlines, solveSeconds: 2, maxAttempts: 2 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const silent = await run.worker(firstWorker, { fault: 'silent', stakeAmount: pan(500), audit: 'never' });
  const { market } = await run.contextOf(0);
  const died = new AbortController();
  const posting = run.master(died.signal).catch(() => {});
  const ended = await market.waitFor(
    (view) => tasksOf(view).find(({ state }) => state === 'expired'),
    local.signal,
  );
  died.abort();
  await posting;
  const answer = await statusOf(local, ended.taskId);
  expect(answer.task).toMatchObject({
    ...{ state: 'expired', attempt: 2, check: null },
    ...{ solver: silent.address.slice(0, 10) },
  });
  const life = lifeOf(answer);
  expect(life.filter((sentence) => sentence === 'task _ is drawn for _')).toHaveLength(2);
  expect(life.filter((sentence) => sentence === 'task _ missed by _, drawn again for n')).toHaveLength(1);
  expect(life).toContain('task _ expired');
  await expectBooksToAgree(local); // the price is burned
});
