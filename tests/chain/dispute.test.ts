import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { disputeTask } from '../../src/actions/dispute.js';
import { pan } from '../../src/chain/params.js';
import type { Hex32 } from '../../src/protocol/task.js';
import type { Compute } from '../../src/roles/context.js';
import { wealthOf } from '../helpers/books.js';
import { skip, startTestChain, type TestChain } from '../helpers/chain.js';
import { toyCompute } from '../helpers/toyCompute.js';
import { firstWorker, startToyRun, type ToyRun, tasksOf } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough for any machine; passed by the clock of the chain. */
const [challengeSeconds, revealSeconds] = [240, 120];
let local: TestChain;
let run: ToyRun;
let finished: Promise<unknown>;
beforeAll(async () => {
  local = await startTestChain({ challengeSeconds, revealSeconds, appealSeconds: 1 });
  run = await startToyRun(local, { slotsPerRound: 2 }, { together: true });
  await run.worker(firstWorker, { audit: 'never' });
  await run.worker(firstWorker + 1, { audit: 'never' });
  // It is still waiting for the SOT when the run is disposed of.
  finished = run.master().catch(() => {});
});
afterAll(async () => {
  await run?.[Symbol.asyncDispose]();
  await finished;
  await local?.[Symbol.asyncDispose]();
});

async function disputerOf(account: number, compute: Compute = toyCompute()) {
  return { ...(await run.contextOf(account)), compute, scratch: join(run.folder, `disputer_${account}`) };
}

type Disputer = Awaited<ReturnType<typeof disputerOf>>;

/** Ids of both tasks once they are submitted. */
async function submitted({ market }: Disputer): Promise<[Hex32, Hex32]> {
  const ids = await market.waitFor((view) => {
    const tasks = tasksOf(view);
    return tasks.length === 2 && tasks.every((task) => task.submission !== null)
      ? tasks.map((task) => task.taskId)
      : undefined;
  }, local.signal);
  return ids as [Hex32, Hex32];
}

test('a right task is not disputed: it says so, and nothing is spent', async () => {
  const disputer = await disputerOf(9);
  const [taskId] = await submitted(disputer);
  const error = await disputeTask({ taskId }, disputer, local.signal).catch((cause) => cause);
  expect(error).toMatchObject({
    family: 'declined',
    code: 'dispute.task_is_right',
    exitCode: 14,
    next: 'panthalia tasks --state submitted',
  });
  expect(error.message).toContain('Nothing was spent');
  expect(await wealthOf(disputer)).toBe(pan(10_000));
  expect(disputer.events.some((event) => event.type === 'transaction.sent')).toBe(false);
});

test('ids that are malformed, unknown or shared by several tasks are refused', async () => {
  const disputer = await disputerOf(9);
  await submitted(disputer);
  const dispute = (taskId: string) => disputeTask({ taskId }, disputer, local.signal);
  await expect(dispute('0xzz')).rejects.toMatchObject({ family: 'usage', code: 'task.bad_id' });
  await expect(dispute('')).rejects.toMatchObject({ family: 'usage', code: 'task.bad_id' });
  const unknown = `0x${'00'.repeat(32)}`;
  await expect(dispute(unknown)).rejects.toMatchObject({
    family: 'notFound',
    code: 'task.not_found',
    exitCode: 11,
  });
});

/** Of another slot: to it every right result looks wrong. */
const broken: Compute = {
  ...toyCompute(),
  batchAt: (spec, _, step) => toyCompute().batchAt(spec, 77, step),
};

test('a panel that costs more than is allowed is not asked: it says so, and nothing is spent', async () => {
  const disputer = await disputerOf(11, broken);
  const [, taskId] = await submitted(disputer);
  const before = await wealthOf(disputer);
  await expect(disputeTask({ taskId, maxFee: pan(29) }, disputer, local.signal)).rejects.toMatchObject({
    family: 'declined',
    code: 'dispute.fee_too_high',
    details: { fee: pan(30), maxFee: pan(29) },
    next: `panthalia dispute ${taskId} --max-fee 30`,
  });
  expect(await wealthOf(disputer)).toBe(before);
  expect(disputer.events.some((event) => event.type === 'transaction.sent')).toBe(false);
});

test('a disputer whose computation is wrong loses its fee, and the solver is paid', async () => {
  const disputer = await disputerOf(10, broken);
  const [, taskId] = await submitted(disputer);
  const error = await disputeTask({ taskId, maxFee: pan(30) }, disputer, local.signal).catch(
    (cause) => cause,
  );
  expect(error).toMatchObject({ family: 'slashed', code: 'dispute.lost', exitCode: 13 });
  expect(error.details).toMatchObject({ verdict: 'valid', rounds: 1, feePaid: pan(31), received: 0n });
  expect(await wealthOf(disputer)).toBe(pan(9_969));
  // The case was about one transition; the task is accepted when its time is over.
  await skip(local, challengeSeconds + 1);
  await disputer.market.waitFor(
    (view) => view.tasks.get(taskId)?.state === 'accepted' || undefined,
    local.signal,
  );
});

test('after the window has closed a dispute comes too late', async () => {
  const disputer = await disputerOf(9);
  const [taskId] = await submitted(disputer);
  await disputer.market.waitFor(
    (view) => view.tasks.get(taskId)?.state === 'accepted' || undefined,
    local.signal,
  );
  await expect(disputeTask({ taskId }, disputer, local.signal)).rejects.toMatchObject({
    family: 'deadline',
    code: 'dispute.window_closed',
    next: 'panthalia tasks --state submitted',
    exitCode: 12,
  });
});
