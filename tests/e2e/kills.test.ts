/** kill -9 at every moment of a task's life: of the worker that solves and checks, and of the master that posts and records. */
import { beforeAll, expect, test, vi } from 'vitest';
import { everyTaskChecked, noTaskChecked, pan, type SubnetParams } from '../../src/chain/params.js';
import type { RunSummary } from '../../src/events/summary.js';
import type { StampedEvent } from '../../src/events/types.js';
import { type MarketByHand, startMarketByHand, undisturbedRun } from '../helpers/byHand.js';
import { type Cli, temporaryFolder } from '../helpers/cli.js';
import { firstWorker, tasksOf } from '../helpers/toyRun.js';

// Every restart takes seconds in which the market waits.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 });

/** Long enough for whoever was killed to be back. */
const challengeSeconds = 120;
const deadlines: Partial<SubnetParams> = {
  ...everyTaskChecked,
  ...{ openSeconds: 120, solveSeconds: 120, challengeSeconds },
  ...{ commitSeconds: 120, revealSeconds: 120, clockSeconds: 120, appealSeconds: 4 },
};

let undisturbed: RunSummary;
let manifest: string;
beforeAll(async () => {
  ({ summary: undisturbed, manifest } = await undisturbedRun());
});

type Moment = [what: string, ask: (event: StampedEvent) => boolean];

const sent = (name: string): Moment => [
  `after ${name}`,
  (event) => event.type === 'transaction.sent' && event.what === name,
];
const told = (type: StampedEvent['type']): Moment => [`at ${type}`, (event) => event.type === type];

/** Kills it whenever one of the moments comes, each once, and starts it again; the last one goes on. What follows a moment may
 *  be done before the signal is there, and is not told then: who ends by itself has seen most of them. */
async function killedAt(moments: readonly Moment[], start: () => Cli | Promise<Cli>): Promise<Cli> {
  const left = new Map(moments);
  for (;;) {
    const cli = await start();
    if (left.size === 0) return cli;
    const isComing = cli.event(`one of ${[...left.keys()]}`, (event) => {
      const found = [...left].find(([, ask]) => ask(event));
      if (found !== undefined) left.delete(found[0]);
      return found !== undefined;
    });
    const last = await isComing.catch((error: unknown) => error);
    if (last instanceof Error) {
      expect((await cli.finished).code).toBe(0);
      if (left.size > 2) throw last;
      return cli;
    }
    cli.send('SIGKILL');
    expect((await cli.finished).signal).toBe('SIGKILL');
  }
}

/** Windows pass once the results in them are checked. */
function passWindows(byHand: MarketByHand): void {
  byHand.passWindows({
    seconds: challengeSeconds,
    isReady: ({ taskId }, { checks }) => checks.has(taskId),
  });
}

async function expectNothingLost({ market, latestVersion }: MarketByHand): Promise<void> {
  expect(await latestVersion()).toMatchObject({ number: 2, stateRoot: undisturbed.finalStateRoot });
  const states = tasksOf(market.view).map(({ state }) => state);
  expect(states).toEqual(new Array(undisturbed.tasks.accepted).fill('accepted'));
  const slashed = [...market.view.positions.values()].map((position) => position.slashed);
  expect(new Set(slashed)).toEqual(new Set([0n]));
}

test('a worker that is killed at every moment of solving and checking loses nothing, and the run ends in the same bytes', async () => {
  await using byHand = await startMarketByHand(temporaryFolder(), manifest, deadlines);
  passWindows(byHand);
  // The one that stays has the other seats: whatever it solves the other one checks, and the other way round.
  await byHand.worker(firstWorker + 1, '--audit', 'drawn', '--stake', '300');
  const moments = [
    ...[told('task.solving'), told('train.step'), told('task.solved'), sent('submit'), sent('openAnswers')],
    ...[told('audit.started'), told('check.computed'), sent('commitCheck'), sent('revealCheck')],
  ];
  const killed = killedAt(moments, () => byHand.worker(firstWorker, '--audit', 'drawn'));
  const master = byHand.master();
  expect((await master.finished).code).toBe(0);
  await killed;
  await expectNothingLost(byHand);
  const checks = [...byHand.market.view.checks.values()];
  expect(new Set(checks.map(({ outcome }) => outcome))).toEqual(new Set(['passed']));
});

test('a master that is killed at every moment of a round posts nothing twice, and the run ends in the same bytes', async () => {
  await using byHand = await startMarketByHand(temporaryFolder(), manifest, deadlines);
  passWindows(byHand);
  for (const account of [firstWorker, firstWorker + 1]) {
    await byHand.worker(account, '--audit', 'drawn', '--stake', '200');
  }
  const moments = [
    ...[told('round.opened'), sent('deposit'), sent('createBatch'), sent('fulfil'), sent('assignMany')],
    ...[sent('drawChecker'), sent('finalizeMany'), told('round.closed'), sent('append')],
  ];
  const last = await killedAt(moments, () => byHand.master());
  expect((await last.finished).code).toBe(0);
  await expectNothingLost(byHand);
});

test('a worker that is killed at every moment of a dispute wins it all the same, as disputer and as its whole panel', async () => {
  const unchecked = { ...deadlines, ...noTaskChecked };
  await using byHand = await startMarketByHand(temporaryFolder(), manifest, unchecked);
  const { market, local } = byHand;
  const cheat = await byHand.worker(firstWorker + 1, '--audit', 'never', '--cheat', 'zero-delta');
  byHand.master();
  const found: Moment = [
    'at the first wrong step',
    (event) => event.type === 'audit.finished' && event.firstWrongStep !== null,
  ];
  const moments = [
    ...[found, sent('commitDispute'), sent('pin')],
    ...[told('vote.computed'), sent('commitVote'), sent('revealVote')],
  ];
  // The solver judges nothing about itself: all three seats are of the one that is killed.
  await killedAt(moments, () => byHand.worker(firstWorker, '--audit', 'all'));
  const kase = await market.waitFor((view) => {
    const [one] = [...view.cases.values()];
    return one?.rounds[0]?.seats.every(({ closed }) => closed) && one.settled ? one : undefined;
  }, local.signal);
  expect(kase).toMatchObject({ verdict: 'invalid', moot: false });
  expect(market.view.cases.size).toBe(1);
  expect(market.view.commitments.size).toBe(0);
  const lost = [...market.view.positions.values()].filter(({ slashed }) => slashed > 0n);
  expect(lost.map(({ account, slashed }) => [account, slashed])).toEqual([[cheat.address, pan(100)]]);
});
