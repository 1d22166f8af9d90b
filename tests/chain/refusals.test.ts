import { expect, test, vi } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { pan } from '../../src/chain/params.js';
import type { TaskView } from '../../src/protocol/marketView.js';
import type { Address } from '../../src/protocol/task.js';
import { actor, startTestChain } from '../helpers/chain.js';
import { startMoodySot } from '../helpers/moodySot.js';
import { honestParameters } from '../helpers/toyCompute.js';
import { firstWorker, startToyRun, type ToyWorker, tasksOf } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

test.each([
  ['401 for what it reads', 401],
  ['403 for what it reads', 403],
])(
  'a Source of Truth that answers a staked worker with %s ends nothing: it says so, tries again, and solves its task',
  async (_, status) => {
    await using local = await startTestChain({ challengeSeconds: 2 });
    await using run = await startToyRun(local, { slotsPerRound: 1 });
    let left = 2;
    await using sot = await startMoodySot(run.sotUrl, (method, path) => {
      const isRead = method === 'GET' && path.startsWith('/v1/blobs');
      if (!isRead || left === 0) return undefined;
      left -= 1;
      return status;
    });
    const worker = await run.worker(firstWorker, { audit: 'never', sotUrl: sot.url });
    expect((await run.master()).parameters).toBe(await honestParameters(run.manifest, run.folder));
    expect(left).toBe(0);
    const alerts = worker.events.filter((event) => event.type === 'alert' && event.level === 'warn');
    expect(alerts.map((alert) => alert.type === 'alert' && alert.code)).toContain('auth.not_allowed');
    expect(await worker.drain()).toMatchObject({ solved: 1, slashed: 0n });
  },
);

test.each([
  [401, 'code'],
  [403, 'code'],
  [403, 'page'],
] as const)(
  'a worker that may not store what it solves (%d, with a %s) says so once, computes nothing more in vain, and stores what it has as soon as it may',
  async (status, says) => {
    // The first time is over before it may store; for the second there is more of it.
    await using local = await startTestChain({ solveSeconds: 60, challengeSeconds: 2 });
    await using run = await startToyRun(local, { slotsPerRound: 1 });
    const { market } = await run.contextOf(0);
    let mayStore = false;
    let refusals = 0;
    await using sot = await startMoodySot(
      run.sotUrl,
      (method) => {
        if (method === 'GET' || mayStore) return undefined;
        refusals += 1;
        return status;
      },
      says,
    );
    const worker = await run.worker(firstWorker, { audit: 'never', sotUrl: sot.url });
    const finished = run.master();
    const begun = () => worker.events.filter(({ type }) => type === 'task.solving').length;
    await market.waitFor(() => refusals >= 3 || undefined, local.signal);
    await local.deployer.provider.send('evm_increaseTime', [61]);
    const isDrawnAgain = ({ attempt, state }: TaskView) => attempt === 2 && state === 'assigned';
    await market.waitFor((view) => tasksOf(view).find(isDrawnAgain), local.signal);
    const refusedBefore = refusals;
    // It asks again before it begins again.
    await market.waitFor(() => refusals > refusedBefore + 1 || undefined, local.signal);
    expect(begun()).toBe(1);
    mayStore = true;

    expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
    expect(begun()).toBe(2);
    expect(await worker.drain()).toMatchObject({ solved: 1, slashed: pan(10) });
    const told = worker.events.flatMap((event) =>
      event.type === 'alert' && event.code === 'sot.writes_refused' ? [event] : [],
    );
    expect(told.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(told[0]?.message).toContain(String(status));
    expect(told[0]?.message).toContain(`panthalia status ${worker.address}`);
  },
);

test('what is computed while nothing may be stored is handed in without a second computation', async () => {
  await using local = await startTestChain({ challengeSeconds: 2 });
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  let left = 2;
  await using sot = await startMoodySot(run.sotUrl, (method) => {
    if (method === 'GET' || left === 0) return undefined;
    left -= 1;
    return 403;
  });
  const worker = await run.worker(firstWorker, { audit: 'never', sotUrl: sot.url });
  expect((await run.master()).parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(left).toBe(0);
  expect(worker.events.filter(({ type }) => type === 'task.solving')).toHaveLength(1);
  expect(await worker.drain()).toMatchObject({ solved: 1, slashed: 0n });
});

test('what the user has to mend still ends a worker: it can not pay for its seats', async () => {
  await using local = await startTestChain();
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  await expect(run.worker(firstWorker, { stakeAmount: pan(20_000) })).rejects.toMatchObject({
    family: 'user',
    code: 'account.no_tokens',
  });
});

test('a worker says what of its stake buys no seat, and that it has none', async () => {
  await using local = await startTestChain();
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const told = ({ events }: ToyWorker) =>
    events.flatMap((event) => (event.type === 'alert' ? [event.message] : []));
  const some = await run.worker(firstWorker, { stakeAmount: pan(250) });
  expect(told(some)).toEqual([
    '50 of the 250 PAN to stake are not staked: a solver seat costs 100.',
    `${some.address} has 2 solver seats and 2 verifier seats staked.`,
  ]);
  const none = await run.worker(firstWorker + 1, { stakeAmount: 0n });
  expect(told(none)).toEqual([
    `${none.address} has nothing staked, and stakes nothing: it is drawn for no task and no panel.`,
  ]);
});

test.each([
  ['one more than all seats there can be', 2n ** 27n],
  ['more than a position counts', 2n ** 32n / 4n],
  ['more than a call can name', 2n ** 32n],
  ['more than a double can tell', 10n ** 400n],
])('who would stake %s is told how many there can be, and pays nothing', async (_, seats) => {
  await using local = await startTestChain();
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  const { contracts } = await run.contextOf(firstWorker);
  const [account] = developmentAddresses(firstWorker + 1).slice(firstWorker) as [Address];
  const rich = await actor(local, 0);
  await rich.contracts.token.write('mint', [account, pan(10 ** 15)], local.signal);
  rich.chain[Symbol.dispose]();
  const before = await contracts.token.read('balanceOf', [account]);
  await expect(run.worker(firstWorker, { stakeAmount: pan(100) * seats })).rejects.toMatchObject({
    family: 'usage',
    code: 'stake.too_many',
    message: `At most 134217727 solver seats were expected, as many as one account can hold here; received tokens for ${seats}.`,
    details: { expected: 134217727n, received: seats },
  });
  expect(await contracts.token.read('balanceOf', [account])).toBe(before);
});
