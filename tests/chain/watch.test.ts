import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createChain } from '../../src/chain/client.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { deploy, mintTokens } from '../../src/chain/deploy.js';
import { followMarket } from '../../src/chain/follow.js';
import { localParams, pan } from '../../src/chain/params.js';
import { watchBlocks } from '../../src/chain/watch.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { startAnvil } from '../../src/process/anvil.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import { applyFacts } from '../../src/protocol/market.js';
import { emptyMarket } from '../../src/protocol/marketView.js';
import { slotBits } from '../../src/protocol/terms.js';
import { testTerms } from '../helpers/chain.js';

const job = `0x${'aa'.repeat(32)}` as const;

test('a watcher sees every fact once and in order, across a restart of the node, and from the middle on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'panthalia-watch-'));
  const statePath = join(folder, 'anvil.json');
  let anvil = await startAnvil({ blockTimeSeconds: 0.1, statePath });
  const stop = new AbortController();
  const events: PanthaliaEvent[] = [];
  const emit = (event: PanthaliaEvent) => void events.push(event);
  try {
    using chain = await createChain({ rpcUrl: anvil.rpcUrl, account: { mnemonicIndex: 0 }, emit });
    const { signal } = stop;
    const deployment = await deploy({ chain, params: localParams(), metadataHash: job, signal });
    const account = chain.signer?.address ?? '0x';
    await mintTokens(chain, deployment, { accounts: [account], amount: pan(10_000), signal });
    const { token, vault, staking, market } = connectContracts(chain, deployment);
    const facts: ChainFact[] = [];
    const follower = await followMarket({ chain, deployment, signal, pollMs: 50 });
    const watching = (async () => {
      for await (const found of watchBlocks({ chain, deployment, signal, pollMs: 50 }))
        facts.push(...found.facts);
    })();

    await token.write('approve', [vault.address, pan(1_000)], signal);
    await vault.write('deposit', [pan(1_000)], signal);
    const staked = await staking.write('stake', [deployment.subnetId, 1, 2], signal);
    await follower.caughtUp(staked.blockNumber, signal);

    await anvil.stop();
    const alert = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!events.some((event) => event.type === 'alert' && event.level === 'warn')) return;
        clearInterval(timer);
        resolve();
      }, 20);
    });
    await alert;
    anvil = await startAnvil({ port: anvil.port, blockTimeSeconds: 0.1, statePath });

    const terms = { ...testTerms(deployment.subnetId, account), slots: slotBits([0, 1, 255]) };
    const posted = await market.write('createBatch', [terms], signal);
    const view = await follower.caughtUp(posted.blockNumber, signal);
    expect([...view.tasks.values()].map((task) => [task.slot, task.state])).toEqual([
      [0, 'open'],
      [1, 'open'],
      [255, 'open'],
    ]);
    for (const task of view.tasks.values()) {
      expect(task.terms).toEqual(terms);
      expect(await market.read('taskIdOf', [task.batchId, task.slot])).toBe(task.taskId);
      expect(await market.read('task', [task.terms, task.slot])).toMatchObject({ status: 1, attempt: 1 });
    }
    await follower.waitFor(() => facts.some((fact) => fact.type === 'BatchCreated') || undefined, signal);
    // The bond of the subnet comes first.
    const ours = ['Deposited', 'SeatsStaked', 'BatchCreated'];
    expect(facts.map((fact) => fact.type)).toEqual(['Deposited', 'SubnetCreated', 'ParamsAdded', ...ours]);
    expect(facts[4]).toMatchObject({ role: 'verifier', seats: 2, amount: pan(320), account });
    expect(applyFacts(emptyMarket(view.subnetId), facts)).toEqual(view);
    expect(events.filter((event) => event.type === 'alert').map((event) => event.level)).toContain('info');

    const late: ChainFact[] = [];
    const reading = new AbortController();
    const fromBlock = posted.blockNumber;
    for await (const found of watchBlocks({ chain, deployment, signal: reading.signal, fromBlock })) {
      late.push(...found.facts);
      if (late.length > 0) reading.abort();
    }
    expect(late).toEqual(facts.slice(5));

    stop.abort(new Error('done'));
    await watching;
    await expect(follower.waitFor(() => undefined, new AbortController().signal)).rejects.toThrow('done');
  } finally {
    stop.abort();
    await anvil.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
