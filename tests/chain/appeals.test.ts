/** A solver goes to court as a disputer does: it appeals what a panel rules wrongly, and nothing else. */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { disputeTask } from '../../src/actions/dispute.js';
import { pan, type SubnetParams } from '../../src/chain/params.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import type { Address, Hex32 } from '../../src/protocol/task.js';
import type { Compute } from '../../src/roles/context.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { skip, startTestChain, type TestChain } from '../helpers/chain.js';
import { toyCompute } from '../helpers/toyCompute.js';
import {
  passWindows,
  startToyRun,
  submittedBy,
  type ToyRun,
  type ToyWorker,
  tasksOf,
} from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Long enough for any machine; what has to pass is passed by the clock of the chain. */
const [challengeSeconds, commitSeconds, appealSeconds] = [600, 120, 120];
const deadlines: Partial<SubnetParams> = {
  ...{ challengeSeconds, commitSeconds, appealSeconds },
  ...{ solveSeconds: commitSeconds, clockSeconds: commitSeconds, revealSeconds: commitSeconds },
};
const [solverAccount, verifierAccount, honestAccount] = [3, 4, 5];
const disputers = [9, 10] as const;

/** Of another slot: to it every right result looks wrong. */
const broken: Compute = {
  ...toyCompute(),
  batchAt: (spec, _, step) => toyCompute().batchAt(spec, 77, step),
};

/** Breaks in the middle of the first tasks, and is mended for all that is asked later. */
function mendedAfter(isMended: () => boolean): Compute {
  return {
    ...toyCompute(),
    batchAt: (spec, slot, step) => (isMended() ? toyCompute() : broken).batchAt(spec, slot, step),
  };
}

async function disputerOf(run: ToyRun, compute: Compute, account: number = disputers[0]) {
  const context = await run.contextOf(account);
  return { ...context, compute, scratch: join(run.folder, `disputer_${account}`) };
}

/** A right result, a sham dispute of it, and a panel of one liar that believes it. The disputer goes no further than this panel. */
async function convictedWrongly(local: TestChain, run: ToyRun, compute: Compute = toyCompute()) {
  const solver = await run.worker(solverAccount, { audit: 'never', compute, stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await submittedBy(run, solver.address, local.signal);
  // With four bonds, of which three are locked in the first panel: no majority of the second.
  const liar = await run.worker(verifierAccount, {
    fault: 'lying-verifier',
    audit: 'never',
    stakeAmount: pan(100),
  });
  const disputer = await disputerOf(run, broken);
  const { market } = disputer;
  const verdict = disputeTask({ taskId, maxFee: pan(30) }, disputer, local.signal).catch((error) => error);
  const ruling = (round: number) =>
    market.waitFor(
      (view) => casesOf(view, taskId)[0]?.rounds.find((one) => one.round === round && one.ruling !== null),
      local.signal,
    );
  const appealed = () => market.waitFor((view) => casesOf(view, taskId)[0]?.rounds[1], local.signal);
  return { solver, finished, taskId, liar, market, verdict, ruling, appealed };
}

async function wealth(run: ToyRun, account: number) {
  const { contracts, chain } = await run.contextOf(account);
  const address = chain.signer?.address ?? '0x';
  const [inVault, inWallet] = await Promise.all([
    contracts.vault.read('balanceOf', [address]),
    contracts.token.read('balanceOf', [address]),
  ]);
  return inVault + inWallet;
}

const told = ({ events }: ToyWorker, code: string) =>
  events.flatMap((event) => (event.type === 'alert' && event.code === code ? [event.message] : []));

test('a solver that a captured panel convicts appeals, keeps its seat, is paid, and has the fee back', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const before = await wealth(run, solverAccount);
  const story = await convictedWrongly(local, run);
  const { solver, liar, taskId, market } = story;
  const captured = await story.ruling(1);
  expect(captured.ruling).toBe('invalid');
  expect(captured.seats.map(({ voter }) => voter)).toEqual([liar.address, liar.address, liar.address]);
  expect(await story.appealed()).toMatchObject({ size: 5, payer: solver.address, fee: pan(50) });
  const honest = await run.worker(honestAccount, { audit: 'never', stakeAmount: pan(400) });
  expect((await story.ruling(2)).ruling).toBe('valid');
  await skip(local, appealSeconds + 1);
  expect(await story.verdict).toMatchObject({ code: 'dispute.lost' });
  await passWindows(run, local, { seconds: challengeSeconds });
  await story.finished;
  expect(market.view.tasks.get(taskId)).toMatchObject({ state: 'accepted', solver: solver.address });
  expect(told(solver, 'case.appealed')).toEqual([
    `A panel of 3 finds step 0 of task ${taskId} invalid; made again it is valid. Appealed to a panel of 5: 50 PAN, which come back if it agrees.`,
  ]);
  expect(await solver.drain()).toMatchObject({ solved: 1, slashed: 0n });
  // The stakes of one seat as solver and four as verifier are still there; 10 is the price, 1 for the delay.
  expect(await wealth(run, solverAccount)).toBe(before - pan(100) - pan(160) + pan(11));
  expect((await honest.drain()).slashed).toBe(0n);
  expect((await liar.drain()).slashed).toBeGreaterThanOrEqual(pan(120));
  await expectBooksToAgree(local);
});

test('one that can not pay says what it needs; started again with the money, it appeals in time', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  const account = await run.contextOf(solverAccount);
  const friend = await run.contextOf(0);
  const story = await convictedWrongly(local, run);
  const { solver, taskId, market } = story;
  const own = solver.address as Address;
  const all = await account.contracts.token.read('balanceOf', [own]);
  await account.contracts.token.write('transfer', [friend.chain.signer?.address ?? '0x', all], local.signal);
  await story.ruling(1);
  await expect.poll(() => told(solver, 'account.no_tokens'), { timeout: 60_000 }).toHaveLength(1);
  const [sentence] = told(solver, 'account.no_tokens');
  expect(sentence).toMatch(
    new RegExp(
      `^A panel of 3 finds step 0 of task ${taskId} invalid, which is not appealed yet; that costs 50 PAN and can be tried until .*\\. Account ${own} needs 50 PAN and has 0\\.$`,
    ),
  );
  expect(await solver.drain()).toMatchObject({ slashed: 0n });
  await friend.contracts.token.write('transfer', [own, pan(50)], local.signal);
  expect(casesOf(market.view, taskId)[0]?.rounds).toHaveLength(1);

  const again = await run.worker(solverAccount, { audit: 'never', stakeAmount: 0n });
  expect(await story.appealed()).toMatchObject({ payer: own, fee: pan(50) });
  await run.worker(honestAccount, { audit: 'never', stakeAmount: pan(400) });
  expect((await story.ruling(2)).ruling).toBe('valid');
  await skip(local, appealSeconds + 1);
  await story.verdict;
  await passWindows(run, local, { seconds: challengeSeconds });
  await story.finished;
  expect(market.view.tasks.get(taskId)?.state).toBe('accepted');
  expect(await again.drain()).toMatchObject({ solved: 0, slashed: 0n });
});

test('one that has no time to make the step again appeals for what it computed before', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 1 }, { together: true });
  let made = 0;
  const slow: Compute = {
    ...toyCompute(),
    // The first trainer solves the task; the second is not done before the window closes.
    createTrainer: (spec) => toyCompute({ stepMs: made++ === 0 ? 0 : 1_000_000 }).createTrainer(spec),
  };
  const story = await convictedWrongly(local, run, slow);
  void story.finished.catch(() => {});
  await story.ruling(1);
  await skip(local, appealSeconds / 2);
  expect(await story.appealed()).toMatchObject({ payer: story.solver.address, fee: pan(50) });
  await expect
    .poll(() => told(story.solver, 'case.appealed'))
    .toEqual([
      `A panel of 3 finds step 0 of task ${story.taskId} invalid; we computed that it is valid, which there was no time to do again. Appealed to a panel of 5: 50 PAN, which come back if it agrees.`,
    ]);
  expect(made).toBe(2);
  expect(await story.solver.drain()).toMatchObject({ slashed: 0n });
});

test('a solver that was wrong is convicted by the first panel: a cheat knows, and whoever has erred sees it when it makes the step again', async () => {
  await using local = await startTestChain(deadlines);
  await using run = await startToyRun(local, { slotsPerRound: 2 }, { together: true });
  let isMended = false;
  const faulty = await run.worker(solverAccount, {
    audit: 'never',
    compute: mendedAfter(() => isMended),
    stakeAmount: pan(100),
  });
  const cheat = await run.worker(verifierAccount, {
    audit: 'never',
    fault: 'noise',
    stakeAmount: pan(100),
  });
  const finished = run.master().catch(() => {});
  const ids: Hex32[] = [];
  for (const { address } of [faulty, cheat]) {
    ids.push((await submittedBy(run, address, local.signal)).taskId);
  }
  isMended = true;
  const honest = await run.worker(honestAccount, { audit: 'never', stakeAmount: pan(400) });
  const { market } = await run.contextOf(0);
  const verdicts = Promise.all(
    ids.map(async (taskId, i) => {
      const disputer = await disputerOf(run, toyCompute(), disputers[i]);
      return disputeTask({ taskId }, disputer, local.signal);
    }),
  );
  await market.waitFor(
    (view) => ids.every((id) => casesOf(view, id)[0]?.rounds[0]?.ruling === 'invalid') || undefined,
    local.signal,
  );
  await expect
    .poll(() => told(faulty, 'case.not_appealed'), { timeout: 60_000 })
    .toEqual([
      `A panel of 3 finds step 0 of task ${ids[0]} invalid, which is not appealed: made again it is invalid.`,
    ]);
  await skip(local, appealSeconds + 1);
  const one = { verdict: 'invalid', rounds: 1 };
  expect(await verdicts).toMatchObject([one, one]);
  for (const worker of [faulty, cheat]) {
    expect(told(worker, 'case.appealed')).toEqual([]);
    expect((await worker.drain()).slashed).toBe(pan(100));
  }
  expect(tasksOf(market.view).filter(({ taskId }) => ids.includes(taskId))).toMatchObject([
    { state: 'rejected' },
    { state: 'rejected' },
  ]);
  expect((await honest.drain()).slashed).toBe(0n);
  await run[Symbol.asyncDispose]();
  await finished;
});
