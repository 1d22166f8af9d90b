/** The outer steps of a run, on chain: what the Source of Truth serves is what the registry says. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { watchBlocks } from '../../src/chain/watch.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import { chainAfter, chainBeginning, contributionRoot } from '../../src/protocol/outerSteps.js';
import type { Address, Hex32 } from '../../src/protocol/task.js';
import { recordOuterSteps } from '../../src/roles/record.js';
import { startTestChain, type TestChain } from '../helpers/chain.js';
import { firstWorker, masterAccount, startToyRun } from '../helpers/toyRun.js';

// Windows and draws take real blocks, and a machine that runs other tests takes its time.
vi.setConfig({ testTimeout: 120_000 });

let local: TestChain;
beforeAll(async () => {
  local = await startTestChain({ challengeSeconds: 2 });
});
afterAll(() => local?.[Symbol.asyncDispose]());

const buyer = developmentAddresses(masterAccount + 1)[masterAccount] as Address;

/** Everything that has happened so far. */
async function allFacts({ deployer: chain, deployment, signal }: TestChain): Promise<ChainFact[]> {
  const last = await chain.provider.getBlockNumber();
  const facts: ChainFact[] = [];
  for await (const blocks of watchBlocks({ chain, deployment, signal })) {
    facts.push(...blocks.facts);
    if (blocks.block >= last) break;
  }
  return facts;
}

test('a master that is killed and started again appends every step once, and anyone can follow the chain from events', async () => {
  await using run = await startToyRun(local, { rounds: 2, slotsPerRound: 2 }, { together: true });
  await run.worker(firstWorker);
  const observer = await run.contextOf(0);
  const killed = new AbortController();
  const first = run.master(killed.signal).catch(() => {});
  // It dies in the second round, when the first outer step may or may not be on chain.
  await observer.market.waitFor(
    (view) => [...view.tasks.values()].some(({ round }) => round === 1) || undefined,
    local.signal,
  );
  killed.abort(new Error('killed'));
  await first;
  const version = await run.master();

  const { states } = observer.contracts;
  const head = await states.read('headOf', [buyer, local.deployment.subnetId, run.jobId]);
  expect(head.rounds).toBe(2);
  expect(head.stateRoot).toBe(version.stateRoot);

  const facts = await allFacts(local);
  const steps = facts.filter((fact) => fact.type === 'OuterStepAppended');
  expect(steps.map(({ round }) => round)).toEqual([0, 1]);
  const results = new Map(
    facts.flatMap((fact) => (fact.type === 'TaskSubmitted' ? [[fact.taskId, fact.resultRoot]] : [])),
  );
  const slots = new Map(
    facts.flatMap((fact) =>
      fact.type === 'BatchCreated' ? fact.taskIds.map((id, i) => [id, fact.slots[i] as number] as const) : [],
    ),
  );
  const place = { chainId: local.deployment.chainId, states: local.deployment.contracts.states };
  const job = { buyer, subnetId: local.deployment.subnetId, jobId: run.jobId };
  let hash = chainBeginning(place, job, steps[0]?.baseRoot as Hex32);
  for (const { round, stateRoot, taskIds, contributionRoot: root, chainHash } of steps) {
    expect(root).toBe(
      contributionRoot(
        taskIds.map((taskId) => ({
          slot: slots.get(taskId) as number,
          taskId,
          resultRoot: results.get(taskId) as Hex32,
        })),
      ),
    );
    hash = chainAfter(hash, { round, stateRoot, contributionRoot: root });
    expect(chainHash).toBe(hash);
  }
  expect(head.chainHash).toBe(hash);

  // Told again, it finds nothing to do.
  const master = await run.contextOf(masterAccount);
  const sent = master.events.length;
  await recordOuterSteps({ ...master, manifest: run.manifest, jobId: run.jobId }, version, local.signal);
  expect(master.events.slice(sent).filter(({ type }) => type === 'transaction.sent')).toEqual([]);
});
