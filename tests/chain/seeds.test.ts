/** A seed is a third of what an epoch costs its keeper: it is asked for when somebody can be drawn with it, and not before. */
import { expect, test, vi } from 'vitest';
import { pan } from '../../src/chain/params.js';
import { watchBlocks } from '../../src/chain/watch.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import { skip, startTestChain, type TestChain } from '../helpers/chain.js';
import { honestParameters } from '../helpers/toyCompute.js';
import { firstWorker, startToyRun, submittedBy, tasksOf } from '../helpers/toyRun.js';

// Draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

const challengeSeconds = 600;
/** startTestChain's */
const epochLength = 4;

async function factsOf({ deployer: chain, deployment, signal }: TestChain): Promise<ChainFact[]> {
  const last = await chain.provider.getBlockNumber();
  const facts: ChainFact[] = [];
  for await (const found of watchBlocks({ chain, deployment, signal })) {
    facts.push(...found.facts);
    if (found.block >= last) return facts;
  }
  return facts;
}

test('while the only seat is taken nobody asks for seeds, and once it is free the next task is drawn', async () => {
  await using local = await startTestChain({ challengeSeconds, openSeconds: 10 * challengeSeconds });
  await using run = await startToyRun(local, { slotsPerRound: 2 });
  const worker = await run.worker(firstWorker, { audit: 'never', stakeAmount: pan(100) });
  const finished = run.master();
  const { market } = await run.contextOf(0);
  const first = await submittedBy(run, worker.address, local.signal);
  const epoch = Math.floor((first.submittedBlock ?? 0) / epochLength);
  await market.waitFor(({ seeds }) => seeds.has(epoch) || undefined, local.signal);
  const { number } = market.head;
  await market.waitFor((_, head) => head.number > number + 5 * epochLength || undefined, local.signal);
  const facts = await factsOf(local);
  const assigned = facts.find(({ type }) => type === 'TaskAssigned')?.blockNumber ?? 0;
  const since = facts.flatMap((fact) =>
    fact.type === 'SeedFulfilled' && fact.blockNumber > assigned ? [fact.epoch] : [],
  );
  // Which says whether the result is checked.
  expect(since).toEqual([epoch]);

  await skip(local, challengeSeconds + 1);
  const isNext = ({ taskId, state }: { taskId: string; state: string }) =>
    taskId !== first.taskId && state === 'submitted';
  await market.waitFor((view) => tasksOf(view).some(isNext) || undefined, local.signal);
  await skip(local, challengeSeconds + 1);
  expect((await finished).parameters).toBe(await honestParameters(run.manifest, run.folder));
  expect(await worker.drain()).toMatchObject({ solved: 2, slashed: 0n });
});
