import { expect, test, vi } from 'vitest';
import { pan } from '../../src/chain/params.js';
import { startTestChain } from '../helpers/chain.js';
import { startMoodySot } from '../helpers/moodySot.js';
import { honestParameters } from '../helpers/toyCompute.js';
import { firstWorker, startToyRun } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

test.each([
  ['401 for what it reads', 'read', 401],
  ['403 for what it reads', 'read', 403],
  ['403 for what it stores', 'write', 403],
])(
  'a Source of Truth that answers a staked worker with %s ends nothing: it says so, tries again, and solves its task',
  async (_, refused, status) => {
    await using local = await startTestChain({ challengeSeconds: 2 });
    await using run = await startToyRun(local, { slotsPerRound: 1 });
    let left = 2;
    await using sot = await startMoodySot(run.sotUrl, (method, path) => {
      const isRead = method === 'GET' && path.startsWith('/v1/blobs');
      if ((refused === 'read' ? !isRead : method === 'GET') || left === 0) return undefined;
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

test('what the user has to mend still ends a worker: it can not pay for its seats', async () => {
  await using local = await startTestChain();
  await using run = await startToyRun(local, { slotsPerRound: 1 });
  await expect(run.worker(firstWorker, { stakeAmount: pan(20_000) })).rejects.toMatchObject({
    family: 'user',
    code: 'account.no_tokens',
  });
});
