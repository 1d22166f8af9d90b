import { beforeAll, expect, test, vi } from 'vitest';
import { pan, type SubnetParams } from '../../src/chain/params.js';
import { decodeEvent } from '../../src/events/line.js';
import type { RunSummary } from '../../src/events/summary.js';
import { casesOf, isTerminal } from '../../src/protocol/marketQueries.js';
import type { MarketView, TaskView } from '../../src/protocol/marketView.js';
import { startMarketByHand, undisturbedRun } from '../helpers/byHand.js';
import { actor, skip } from '../helpers/chain.js';
import { type Cli, temporaryFolder } from '../helpers/cli.js';
import { eventually } from '../helpers/processes.js';
import { firstWorker, tasksOf } from '../helpers/toyRun.js';

// Workers leave the calls to the master for some seconds before they make them, one after the other: markets that mostly wait,
// so both are watched at once.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 });

/** Long enough for any machine; what has to pass is passed by the clock of the chain. */
const [solveSeconds, challengeSeconds] = [120, 120];
const deadlines: Partial<SubnetParams> = {
  ...{ openSeconds: 160, solveSeconds, challengeSeconds, appealSeconds: 4 },
};

let undisturbed: RunSummary;
let manifest: string;
beforeAll(async () => {
  ({ summary: undisturbed, manifest } = await undisturbedRun());
});

/** Names of the calls that this process has sent. */
function callsOf({ out }: Cli): string[] {
  return out.flatMap((line) => {
    const event = decodeEvent(line);
    return event?.type === 'transaction.sent' ? [event.what] : [];
  });
}

/** Nothing is left that anybody could call. */
function isQuiet(view: MarketView): boolean {
  const areEnded = tasksOf(view).every(({ state }) => isTerminal(state));
  const arePaid = [...view.cases.values()].every(
    ({ settled, rounds }) => settled && rounds.every(({ seats }) => seats.every(({ closed }) => closed)),
  );
  return areEnded && arePaid && tasksOf(view).length > 0;
}

test.concurrent('while the master is dead the workers keep the market going, and when it is back the run ends as if nothing had been', async () => {
  await using byHand = await startMarketByHand(temporaryFolder(), manifest, deadlines);
  const { market, local } = byHand;
  const honest = [await byHand.worker(firstWorker), await byHand.worker(firstWorker + 1)];
  const cheat = await byHand.worker(firstWorker + 2, '--cheat', 'zero-delta');
  const silent = await byHand.worker(firstWorker + 3, '--cheat', 'silent');
  const workers = [...honest, cheat, silent];
  // The wrong result waits for whoever finds it.
  byHand.passWindows({ seconds: challengeSeconds, isReady: ({ solver }) => solver !== cheat.address });

  const first = byHand.master();
  await market.waitFor((view) => tasksOf(view).length > 0 || undefined, local.signal);
  first.send('SIGKILL');
  expect((await first.finished).signal).toBe('SIGKILL');
  const before = workers.map((worker) => callsOf(worker).length);
  // Once all else is done, whoever never solves is late.
  const isLeft = ({ state, solver }: TaskView) =>
    isTerminal(state) || state === 'submitted' || solver === silent.address;
  const isJudged = (view: MarketView) =>
    tasksOf(view).some(({ state }) => state === 'rejected') && tasksOf(view).every(isLeft);
  await market.waitFor((view) => isJudged(view) || undefined, local.signal);
  await skip(local, solveSeconds + 1);
  await market.waitFor((view) => isQuiet(view) || undefined, local.signal);

  const keeping = ['fulfil', 'assignMany', 'expireMany', 'finalizeMany', 'drawSeats', 'settle', 'closeSeats'];
  // What a process says may arrive after what the chain shows.
  await eventually('the workers make every call', () => {
    const made = workers.flatMap((worker, i) => callsOf(worker).slice(before[i]));
    return keeping.every((call) => made.includes(call));
  });
  // The one that cheated is rejected. No other is lost, also the one that was drawn for somebody who never solves it.
  const states = tasksOf(market.view).map(({ state }) => state);
  expect(states.sort()).toEqual(['accepted', 'accepted', 'accepted', 'rejected']);

  expect((await byHand.master().finished).code).toBe(0);
  expect(await byHand.latestVersion()).toMatchObject({ number: 2, stateRoot: undisturbed.finalStateRoot });
  const accepted = tasksOf(market.view).filter(({ state }) => state === 'accepted');
  expect(accepted).toHaveLength(undisturbed.tasks.accepted);
  const lost = [...market.view.positions.values()].filter(({ slashed }) => slashed > 0n);
  expect(new Map(lost.map(({ account, slashed }) => [account, slashed]))).toEqual(
    new Map([
      [cheat.address, pan(100)],
      [silent.address, pan(10)],
    ]),
  );
});

test.concurrent('a solver that is killed and started again shows a trace that the Source of Truth has lost, and is paid', async () => {
  await using byHand = await startMarketByHand(temporaryFolder(), manifest, deadlines);
  const { market, local } = byHand;
  const asking = await actor(local, 9);
  const { token, vault, challenge } = asking.contracts;
  await token.write('approve', [vault.address, pan(10)], local.signal);
  await vault.write('deposit', [pan(10)], local.signal);
  // Nobody audits: an auditor would publish what is missing.
  const solver = await byHand.worker(firstWorker, '--audit', 'never');
  byHand.master();
  const task = await market.waitFor(
    (view) => tasksOf(view).find(({ submission }) => submission !== null),
    local.signal,
  );
  solver.send('SIGKILL');
  await solver.finished;
  if (task.submission === null) throw new Error('a submitted task has a submission');
  expect(byHand.loseBlob(task.submission.leavesBlob)).toBe(true);

  await challenge.write('demandLeaves', [task.terms, task.slot, task.submission], local.signal);
  const again = await byHand.worker(firstWorker, '--audit', 'never');
  const shown = await market.waitFor((view) => {
    const now = view.tasks.get(task.taskId);
    return now?.demand?.closed ? now : undefined;
  }, local.signal);
  expect(shown.leaves).toHaveLength(task.terms.innerSteps + 1);
  await again.event('its answer', (e) => e.type === 'transaction.sent' && e.what === 'publishLeaves');
  // Whoever demanded them has paid for it, and has nothing to dispute.
  expect(await vault.read('balanceOf', [asking.chain.signer?.address ?? '0x'])).toBe(0n);
  byHand.passWindows({ seconds: challengeSeconds });
  await market.waitFor(
    (view) => view.tasks.get(task.taskId)?.state === 'accepted' || undefined,
    local.signal,
  );
  expect(casesOf(market.view, task.taskId)).toEqual([]);
  const slashed = [...market.view.positions.values()].map((position) => position.slashed);
  expect(new Set(slashed)).toEqual(new Set([0n]));
  asking.chain[Symbol.dispose]();
});
