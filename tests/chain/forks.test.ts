/** What a follower makes of chains that are reorganised, and of nodes that answer badly. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Chain, createChain, latestBlock } from '../../src/chain/client.js';
import { followMarket } from '../../src/chain/follow.js';
import { pan } from '../../src/chain/params.js';
import { watchBlocks } from '../../src/chain/watch.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import type { Address } from '../../src/protocol/task.js';
import { type Actor, actor, startTestChain, type TestChain } from '../helpers/chain.js';
import { behind, NoAnswer, type Pass, RpcRefusal, startMoodyRpc } from '../helpers/moodyRpc.js';

let local: TestChain;
let dora: Actor;
let address: Address;
beforeAll(async () => {
  local = await startTestChain();
  dora = await actor(local, 3);
  address = dora.chain.signer?.address ?? '0x';
  const { token, vault } = dora.contracts;
  await token.write('approve', [vault.address, pan(1_000)], local.signal);
  // Blocks come with the transactions now.
  await dora.chain.provider.send('evm_setIntervalMining', [0]);
  await dora.chain.provider.send('evm_setAutomine', [true]);
});
afterAll(async () => {
  dora?.chain[Symbol.dispose]();
  await local?.[Symbol.asyncDispose]();
});

const deposit = (amount: number) => dora.contracts.vault.write('deposit', [pan(amount)], local.signal);

/** A connection without an account, behind a node in this mood. */
async function watcher(mood: (method: string, params: readonly unknown[], pass: Pass) => Promise<unknown>) {
  const rpc = await startMoodyRpc(local.anvil.rpcUrl, mood);
  const events: PanthaliaEvent[] = [];
  const chain = await createChain({ rpcUrl: rpc.url, emit: (event) => void events.push(event) });
  return {
    chain,
    codes: () => events.flatMap((event) => (event.type === 'alert' ? [event.code] : [])),
    [Symbol.asyncDispose]: async () => {
      chain[Symbol.dispose]();
      await rpc[Symbol.asyncDispose]();
    },
  };
}

async function factsUpTo(chain: Chain, last: number): Promise<ChainFact[]> {
  const { deployment, signal } = local;
  const facts: ChainFact[] = [];
  for await (const found of watchBlocks({ chain, deployment, signal, pollMs: 20 })) {
    facts.push(...found.facts);
    if (found.block >= last) break;
  }
  return facts;
}

test.each([
  ['as long as before', 'anvil_reorg', 2],
  ['shorter, until it goes on', 'anvil_rollback', 2],
  ['replaced deeper than what is read one by one', 'anvil_reorg', 20],
] as const)(
  'a chain that is %s after a reorganisation: what was dropped never happened, what came instead is told',
  async (_, method, depth) => {
    const { deployment, signal } = local;
    await using other = await watcher((asked, params, pass) => pass(asked, params));
    const before = await deposit(1);
    const options = { chain: other.chain, deployment, signal, pollMs: 20 };
    const follower = await followMarket(options);
    const { deposited } = (await follower.caughtUp(before.blockNumber, signal)).ledger;
    const dropped = await deposit(7);
    for (let more = 1; more < depth; more++) await dora.chain.provider.send('evm_mine', []);
    const { number } = await latestBlock(dora.chain);
    const seen = await follower.caughtUp(number, signal);
    expect(seen.ledger.deposited).toBe(deposited + pan(7));

    await dora.chain.provider.send(method, method === 'anvil_reorg' ? [depth, []] : [depth]);
    // Of another account: what ours had sent comes again by itself.
    const another = await actor(local, 4);
    const { token, vault } = another.contracts;
    await token.write('approve', [vault.address, pan(3)], signal);
    const instead = await vault.write('deposit', [pan(3)], signal);
    another.chain[Symbol.dispose]();
    const view = await follower.waitFor(
      (now) => (now.ledger.deposited === deposited + pan(3) ? now : undefined),
      signal,
    );
    expect(instead.blockNumber).toBeLessThanOrEqual(follower.head.number);
    expect(dropped.blockNumber).toBe(number - depth + 1);
    expect(view).toEqual((await followMarket(options)).view);
    expect(other.codes()).toEqual(['chain.reorganised']);
  },
);

test('a node that answers out of order, twice, of others and only a few blocks at a time tells the same facts', async () => {
  await deposit(2);
  for (let more = 0; more < 40; more++) await dora.chain.provider.send('evm_mine', []);
  const last = (await deposit(3)).blockNumber;
  let refusals = 0;
  await using moody = await watcher(async (method, params, pass) => {
    if (method !== 'eth_getLogs') return pass(method, params);
    const [{ fromBlock, toBlock }] = params as [{ fromBlock?: string; toBlock?: string }];
    if (Number(toBlock) - Number(fromBlock) > 30) {
      refusals += 1;
      throw new RpcRefusal(-32005, 'query returned more than 10000 results');
    }
    const logs = (await pass(method, params)) as Record<string, unknown>[];
    const foreign = logs.map((log) => ({ ...log, address, logIndex: '0x77' }));
    const gone = logs.map((log) => ({ ...log, removed: true, logIndex: '0x78' }));
    return [...logs, ...foreign, ...gone, ...logs].reverse();
  });
  const facts = await factsUpTo(local.deployer, last);
  expect(facts.length).toBeGreaterThan(3);
  expect(await factsUpTo(moody.chain, last)).toEqual(facts);
  expect(refusals).toBeGreaterThan(0);
  expect(moody.codes()).toEqual([]);
});

test('of two nodes behind one address, one that has not seen the newest blocks hides nothing that happened in them', async () => {
  const { deployment, signal } = local;
  let calls = 0;
  const late = behind(() => 2);
  await using moody = await watcher((method, params, pass) =>
    method === 'eth_getLogs' && calls++ % 3 !== 2 ? late(method, params, pass) : pass(method, params),
  );
  const follower = await followMarket({ chain: moody.chain, deployment, signal, pollMs: 20 });
  const { deposited } = follower.view.ledger;
  for (let amount = 1; amount <= 4; amount++) {
    const { blockNumber } = await deposit(amount);
    await follower.caughtUp(blockNumber, signal);
  }
  expect(follower.view.ledger.deposited).toBe(deposited + pan(10));
});

test('another chain that answers in the place of ours, after a while of silence, is not followed', async () => {
  const { deployment, signal } = local;
  let mood: 'well' | 'away' | 'other' = 'well';
  await using moody = await watcher(async (method, params, pass) => {
    if (mood === 'away') throw new NoAnswer('cut');
    return mood === 'other' && method === 'eth_chainId' ? '0x1' : pass(method, params);
  });
  const follower = await followMarket({ chain: moody.chain, deployment, signal, pollMs: 20 });
  mood = 'away';
  const never = follower.waitFor(() => undefined, signal);
  while (!moody.codes().includes('rpc.unreachable')) await new Promise((resolve) => setImmediate(resolve));
  mood = 'other';
  await expect(never).rejects.toMatchObject({
    family: 'network',
    code: 'chain.wrong_id',
    details: { expected: 31337, received: 1 },
  });
});
