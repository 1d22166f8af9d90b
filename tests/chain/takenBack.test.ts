/** What a reorganisation takes back is done again, by whoever has done it: the money that is at stake on it does not come back by itself. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, test, vi } from 'vitest';
import { disputeTask } from '../../src/actions/dispute.js';
import { latestBlock } from '../../src/chain/client.js';
import { everyTaskChecked, pan } from '../../src/chain/params.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { casesOf } from '../../src/protocol/marketQueries.js';
import type { CaseView, CheckPhase, MarketView, SeatView } from '../../src/protocol/marketView.js';
import { expectBooksToAgree, wealthOf } from '../helpers/books.js';
import { skip, startTestChain, type TestChain } from '../helpers/chain.js';
import { honestParameters, toyCompute } from '../helpers/toyCompute.js';
import {
  assignedTo,
  firstWorker,
  masterAccount,
  passWindows,
  startToyRun,
  submittedBy,
  type ToyRun,
  type ToyWorker,
  tasksOf,
} from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Takes away all blocks from `block` on; anvil forgets what was in them. Then a block with `transactions`, and the chain goes on. */
function goOnFrom(
  run: ToyRun,
  { deployer }: TestChain,
  block: number,
  transactions: readonly string[],
): Promise<void> {
  const { provider } = deployer;
  return run.betweenBlocks(async () => {
    const { number } = await latestBlock(deployer);
    await provider.send('anvil_rollback', [number - block + 1]);
    for (const signed of transactions) await provider.send('eth_sendRawTransaction', [signed]);
    await provider.send('anvil_mine', ['0x1']);
  });
}

/** Long enough for any machine; passed by the clock of the chain. */
const longWindows = { challengeSeconds: 240, revealSeconds: 120, appealSeconds: 1 };

/** The one task of the run, with a wrong submission. */
async function cheatedTask(run: ToyRun, local: TestChain, fault = 'noise') {
  const cheat = await run.worker(firstWorker, { audit: 'never', fault, stakeAmount: pan(100) });
  const { market } = await run.contextOf(0);
  const finished = run.master();
  const { taskId } = await submittedBy(run, cheat.address, local.signal);
  return { cheat, market, finished, taskId };
}

async function disputerOf(run: ToyRun) {
  return { ...(await run.contextOf(9)), compute: toyCompute(), scratch: join(run.folder, 'disputer') };
}

/** Transactions of one account, as it signed them. */
interface Sent {
  onEvent(event: PanthaliaEvent): void;
  /** each of them was in a block */
  all: Promise<void>;
  signed(): Promise<string[]>;
}

function sentOnes({ deployer }: TestChain, names: readonly string[]): Sent {
  const hashes = new Map<string, string>();
  let told = () => {};
  const all = new Promise<void>((resolve) => {
    told = resolve;
  });
  return {
    all,
    onEvent: (event) => {
      if (event.type !== 'transaction.sent' || !names.includes(event.what)) return;
      hashes.set(event.what, event.hash);
      if (hashes.size === names.length) told();
    },
    signed: () =>
      Promise.all(
        names.map((name) => deployer.provider.send('eth_getRawTransactionByHash', [hashes.get(name)])),
      ),
  };
}

test('a solver whose task is drawn again after its submission was refused submits what it had, and computes nothing', async () => {
  await using local = await startTestChain({ challengeSeconds: 6, solveSeconds: 40 });
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { together: true });
  const { market } = await run.contextOf(0);
  let told: (hash: string) => void = () => {};
  const submitted = new Promise<string>((resolve) => {
    told = resolve;
  });
  const worker = await run.worker(firstWorker, {
    audit: 'never',
    onEvent: (event) => event.type === 'transaction.sent' && event.what === 'submit' && told(event.hash),
  });
  const finished = run.master();
  const { assignedIn, taskId } = await market.waitFor((view) => {
    const [task] = tasksOf(view);
    return task?.state === 'assigned' ? { assignedIn: view.block, taskId: task.taskId } : undefined;
  }, local.signal);
  const hash = await submitted;
  const { provider } = local.deployer;
  const signed = await provider.send('eth_getRawTransactionByHash', [hash]);
  await goOnFrom(run, local, assignedIn, [signed]);
  expect((await provider.getTransactionReceipt(hash))?.status).toBe(0);

  const version = await finished;
  expect(version.parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(tasksOf(market.view)).toMatchObject([
    { taskId, state: 'accepted', attempt: 1, solver: worker.address },
  ]);
  expect(worker.events.filter(({ type }) => type === 'task.solving')).toHaveLength(1);
  expect(await worker.drain()).toMatchObject({ solved: 1, slashed: 0n });
});

test('a checker whose commitment is reorganised away commits again, the solver answers again, and nobody loses a bond', async () => {
  const seconds = 60;
  const windows = {
    solveSeconds: seconds,
    commitSeconds: seconds,
    revealSeconds: seconds,
    clockSeconds: seconds,
  };
  await using local = await startTestChain({
    ...everyTaskChecked,
    ...windows,
    challengeSeconds: 2 * seconds,
  });
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { together: true });
  const { market } = await run.contextOf(0);
  const solver = await run.worker(firstWorker, { audit: 'drawn', stakeAmount: pan(100) });
  const finished = run.master();
  const { taskId } = await assignedTo(run, solver.address, local.signal);
  const checker = await run.worker(firstWorker + 1, { audit: 'drawn', stakeAmount: pan(100) });
  const phaseIs = (phase: CheckPhase) => (view: MarketView) =>
    view.checks.get(taskId)?.phase === phase ? view.block : undefined;
  const committedIn = await market.waitFor(phaseIs('answer'), local.signal);
  const solved = (one: ToyWorker) => one.events.filter(({ type }) => type === 'task.solving').length;
  await market.waitFor(phaseIs('reveal'), local.signal);
  await goOnFrom(run, local, committedIn, []);
  await market.waitFor(phaseIs('commit'), local.signal);
  await passWindows(run, local, { seconds: 2 * seconds, areChecked: true });
  await finished;
  expect(market.view.checks.get(taskId)).toMatchObject({
    outcome: 'passed',
    checker: checker.address,
    attempt: 1,
  });
  expect([solved(solver), solved(checker)]).toEqual([1, 0]);
  for (const one of [solver, checker]) expect((await one.drain()).slashed).toBe(0n);
});

/** Another auditor, without a bond of any kind, that has found the case already there. */
async function joined(run: ToyRun): Promise<ToyWorker> {
  let told = () => {};
  const audited = new Promise<void>((resolve) => {
    told = resolve;
  });
  const onEvent = ({ type }: PanthaliaEvent) => type === 'audit.finished' && told();
  const joiner = await run.worker(firstWorker + 2, { audit: 'all', stakeAmount: 0n, onEvent });
  await audited;
  return joiner;
}

test.each([
  ['whole', async () => []],
  ['and put into one block again, where the pin is refused', (sent: Sent) => sent.signed()],
])(
  'a dispute that is reorganised away %s is made again by its auditor, and costs it nothing',
  async (_, back) => {
    await using local = await startTestChain(longWindows);
    await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { together: true });
    const { cheat, market, finished, taskId } = await cheatedTask(run, local);
    const sent = sentOnes(local, ['commitDispute', 'pin']);
    const committed = market.waitFor(
      ({ commitments }) => [...commitments.values()].find(() => true)?.block,
      local.signal,
    );
    const auditor = await run.worker(firstWorker + 1, { audit: 'all', onEvent: sent.onEvent });
    const committedIn = await committed;
    await market.waitFor((view) => casesOf(view, taskId)[0], local.signal);
    await sent.all;
    const joiner = await joined(run);
    // Another one in the same second has the same id.
    const gone = market.waitFor((view) => casesOf(view, taskId).length === 0 || undefined, local.signal);
    await goOnFrom(run, local, committedIn, await back(sent));
    await gone;
    await market.waitFor((view) => casesOf(view, taskId)[0], local.signal);
    await passWindows(run, local, { seconds: 240 });

    expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
    expect(market.view.tasks.get(taskId)?.state).toBe('rejected');
    expect(casesOf(market.view, taskId)).toMatchObject([{ disputer: auditor.address, verdict: 'invalid' }]);
    expect(market.view.commitments.size).toBe(0);
    expect(await auditor.drain()).toMatchObject({ audited: 1, disputed: 1, slashed: 0n });
    expect(joiner.events).not.toContainEqual(expect.objectContaining({ what: 'commitDispute' }));
    expect((await joiner.drain()).disputed).toBe(0);
    expect((await cheat.drain()).slashed).toBe(pan(100));
    await expectBooksToAgree(local);
  },
);

test('whoever disputes by hand makes the dispute again that is reorganised away, and waits for its verdict', async () => {
  await using local = await startTestChain(longWindows);
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { together: true });
  const { market, finished, taskId } = await cheatedTask(run, local);
  const committed = market.waitFor(
    ({ commitments, block }) => (commitments.size > 0 ? block : undefined),
    local.signal,
  );
  const disputer = await disputerOf(run);
  const verdict = disputeTask({ taskId }, disputer, local.signal);
  const committedIn = await committed;
  await market.waitFor((view) => casesOf(view, taskId)[0], local.signal);
  const gone = market.waitFor((view) => casesOf(view, taskId).length === 0 || undefined, local.signal);
  await goOnFrom(run, local, committedIn, []);
  await gone;
  await market.waitFor((view) => casesOf(view, taskId)[0], local.signal);
  await run.worker(firstWorker + 1, { audit: 'never', stakeAmount: pan(400) });
  await passWindows(run, local, { seconds: 240 });

  expect(await verdict).toMatchObject({ verdict: 'invalid', rounds: 1, feePaid: pan(31), received: pan(61) });
  await finished;
  expect(market.view.commitments.size).toBe(0);
  await expectBooksToAgree(local);
});

test.each([
  ['an appeal is', ({ rounds }: CaseView) => rounds.length === 2],
  ['a ruling and its appeal are', ({ rounds }: CaseView) => rounds[0]?.phase === 'ruled'],
])('where %s reorganised away, the appeal is made again and paid for once', async (_, isMade) => {
  await using local = await startTestChain({ ...longWindows, appealSeconds: 60 });
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { together: true });
  const { market, finished, taskId } = await cheatedTask(run, local, 'wrong-seed');
  const disputer = await disputerOf(run);
  const before = await wealthOf(disputer);
  const verdict = disputeTask({ taskId }, disputer, local.signal);
  const when = (ask: (kase: CaseView) => boolean) =>
    market.waitFor((view) => (casesOf(view, taskId).some(ask) ? view.block : undefined), local.signal);
  const [madeIn, appealed] = [when(isMade), when(({ rounds }) => rounds.length === 2)];
  // With four bonds, of which three are locked in the first panel: no majority of the second.
  const liar = { fault: 'lying-verifier', audit: 'never', stakeAmount: pan(100) } as const;
  await run.worker(firstWorker + 1, liar);
  const block = await madeIn;
  await appealed;
  await goOnFrom(run, local, block, []);
  await run.worker(firstWorker + 2, { audit: 'never', stakeAmount: pan(400) });
  await when(({ rounds }) => rounds[1]?.ruling === 'invalid');
  await skip(local, 61);

  expect(await verdict).toMatchObject({
    verdict: 'invalid',
    rounds: 2,
    feePaid: pan(81),
    received: pan(111),
  });
  expect(await wealthOf(disputer)).toBe(before - pan(81) + pan(111));
  await passWindows(run, local, { seconds: 240 });
  await finished;
  await expectBooksToAgree(local);
});

test.each([
  ['commitments', (seat: SeatView) => seat.committed],
  ['openings', (seat: SeatView) => seat.verdict !== null],
])('%s of votes that are reorganised away are made again, and the verifier is paid', async (_, isMade) => {
  await using local = await startTestChain(longWindows);
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { together: true });
  const { market, finished, taskId } = await cheatedTask(run, local);
  const disputer = await disputerOf(run);
  const verdict = disputeTask({ taskId }, disputer, local.signal);
  const seatsOf = (view: MarketView) => casesOf(view, taskId)[0]?.rounds[0]?.seats ?? [];
  const madeIn = market.waitFor(
    (view) => (seatsOf(view).some(isMade) ? view.block : undefined),
    local.signal,
  );
  const verifier = await run.worker(firstWorker + 1, { audit: 'never', stakeAmount: pan(400) });
  const block = await madeIn;
  const verdicts = () => seatsOf(market.view).map((seat) => seat.verdict);
  const all = new Array(3).fill('invalid');
  await market.waitFor(() => isDeepStrictEqual(verdicts(), all) || undefined, local.signal);
  const gone = market.waitFor((view) => !seatsOf(view).some(isMade) || undefined, local.signal);
  await goOnFrom(run, local, block, []);
  await gone;
  await market.waitFor(() => isDeepStrictEqual(verdicts(), all) || undefined, local.signal);
  await passWindows(run, local, { seconds: 240 });

  expect(await verdict).toMatchObject({ verdict: 'invalid', rounds: 1, received: pan(61) });
  await finished;
  expect(verdicts()).toEqual(all);
  expect((await verifier.drain()).slashed).toBe(0n);
  await expectBooksToAgree(local);
});

test('a batch that is reorganised away is posted again by its master, once, and paid for once', async () => {
  await using local = await startTestChain({ challengeSeconds: 2 });
  await using run = await startToyRun(local, { rounds: 1 }, { together: true });
  const { market } = await run.contextOf(0);
  const master = await run.contextOf(masterAccount);
  const had = await wealthOf(master);
  const finished = run.master();
  const postedIn = await market.waitFor(
    (view) => (tasksOf(view).length > 0 ? view.block : undefined),
    local.signal,
  );
  const before = tasksOf(market.view).map(({ taskId }) => taskId);
  await goOnFrom(run, local, postedIn, []);
  await market.waitFor((view) => tasksOf(view).length === 0 || undefined, local.signal);

  await run.worker(firstWorker, { audit: 'never' });
  const version = await finished;
  expect(version.parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(tasksOf(market.view).map(({ taskId, state }) => [taskId, state])).toEqual(
    before.map((taskId) => [taskId, 'accepted']),
  );
  const prices = tasksOf(market.view).reduce((sum, { price }) => sum + price, 0n);
  expect(had - (await wealthOf(master))).toBe(prices);
  await expectBooksToAgree(local);
});
