/** A version that is merged stays: the Source of Truth waits until nothing takes back what it is made of. */
import { expect, test, vi } from 'vitest';
import { latestBlock } from '../../src/chain/client.js';
import { slotBits } from '../../src/protocol/terms.js';
import { startTestChain } from '../helpers/chain.js';
import { eventually } from '../helpers/processes.js';
import { honestParameters } from '../helpers/toyCompute.js';
import { firstWorker, startToyRun, submittedBy, tasksOf } from '../helpers/toyRun.js';

// Draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

const challengeSeconds = 600;
/** So many blocks that the chain is stopped before they have come, however slowly. */
const depth = 400;

test('an acceptance that is reorganised away is not merged, and one that stands is, when it is deep enough', async () => {
  await using local = await startTestChain({ challengeSeconds });
  await using run = await startToyRun(local, { slotsPerRound: 1, rounds: 1 }, { depth });
  const { provider } = local.deployer;
  const { market, contracts, sot } = await run.contextOf(0);
  const worker = await run.worker(firstWorker, { audit: 'never', staySeconds: 0 });
  const leaving = new AbortController();
  const posting = run.master(leaving.signal).catch(() => {});
  const task = await submittedBy(run, worker.address, local.signal);
  const stateOf = () => tasksOf(market.view)[0]?.state;
  await provider.send('evm_increaseTime', [challengeSeconds + 1]);
  const facts = await market.waitFor(
    (view) => (stateOf() === 'accepted' ? view.block : undefined),
    local.signal,
  );
  await provider.send('evm_setIntervalMining', [0]);
  // Or they would do it again at once.
  leaving.abort();
  await Promise.all([posting, worker.drain()]);

  const { number } = await latestBlock(local.deployer);
  await provider.send('anvil_rollback', [number - facts + 1]);
  const mined = async (blocks: number) => {
    await provider.send('anvil_mine', [`0x${blocks.toString(16)}`]);
    return market.caughtUp((await latestBlock(local.deployer)).number, local.signal);
  };
  await mined(2 * depth);
  expect(stateOf()).toBe('submitted');
  const isMerged = (waitSeconds: number) => sot.latestVersion({ after: 0, waitSeconds });
  expect(await isMerged(1)).toBeUndefined();

  const again = await contracts.market.send('finalizeMany', [task.terms, slotBits([0])], local.signal);
  await mined(1);
  const { blockNumber } = await again.confirmed();
  await mined(depth - 1);
  expect(stateOf()).toBe('accepted');
  const waiting = () =>
    run.sotEvents.flatMap((event) =>
      event.type === 'alert' && event.code === 'sot.waiting_for_depth' ? [event.message] : [],
    );
  const sentence = `Round 0 is accepted in block ${blockNumber} and merged ${depth} blocks later, with block ${blockNumber + depth};`;
  // Its view of the chain may be behind the one that is looked at here.
  await eventually('it says what it waits for', () => waiting().at(-1)?.includes(sentence) ?? false);
  expect(await isMerged(1)).toBeUndefined();
  await mined(1);
  const version = await isMerged(20);
  expect(version?.parameters).toBe(await honestParameters(run.manifest, run.folder));
});
