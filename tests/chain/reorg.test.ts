import { afterAll, beforeAll, expect, test } from 'vitest';
import { latestBlock } from '../../src/chain/client.js';
import { pan } from '../../src/chain/params.js';
import { type Actor, actor, startTestChain, type TestChain } from '../helpers/chain.js';

let local: TestChain;
let dora: Actor;
beforeAll(async () => {
  local = await startTestChain();
  dora = await actor(local, 3);
});
afterAll(async () => {
  dora?.chain[Symbol.dispose]();
  await local?.[Symbol.asyncDispose]();
});

/** Takes the newest blocks away, from `block` on, and makes empty ones in their place; anvil forgets what was in them. Then a block
 *  for each transaction. */
async function reorganise({ chain }: Actor, block: number): Promise<void> {
  await chain.provider.send('evm_setIntervalMining', [0]);
  const { number } = await latestBlock(chain);
  await chain.provider.send('anvil_reorg', [number - block + 1, []]);
  await chain.provider.send('evm_setAutomine', [true]);
}

async function asBefore({ chain }: Actor): Promise<void> {
  await chain.provider.send('evm_setAutomine', [false]);
  await chain.provider.send('anvil_setIntervalMining', [1]);
}

function codesOf({ events }: Actor): (string | undefined)[] {
  return events.flatMap((event) => (event.type === 'alert' ? [event.code] : []));
}

const allowance = async ({ chain, contracts }: Actor, spender: `0x${string}`) =>
  contracts.token.read('allowance', [chain.signer?.address ?? '0x', spender]);

test('a commitment whose block is reorganised away was never made; with the next call of its maker it is sent again', async () => {
  const { challenge, token } = dora.contracts;
  const disputer = dora.chain.signer?.address ?? '0x';
  const commitment = `0x${'d0'.repeat(32)}` as const;
  const commit = () => challenge.write('commitDispute', [commitment, 0n], local.signal);
  const madeIn = async () =>
    Number((await challenge.read('commitmentAt', [disputer, commitment])).blockNumber);

  const { blockNumber } = await commit();
  expect(await madeIn()).toBe(blockNumber);
  await expect(commit()).rejects.toMatchObject({
    code: 'contract.AlreadyCommitted',
    details: { args: { commitment } },
  });

  await reorganise(dora, blockNumber);
  expect(await madeIn()).toBe(0);
  const other = await actor(local, 5);
  const drop = other.contracts.challenge.write('dropCommitment', [disputer, commitment], local.signal);
  await expect(drop).rejects.toMatchObject({
    code: 'contract.NotCommitted',
    details: { args: { commitment } },
  });
  other.chain[Symbol.dispose]();

  // The account's nonce went back with the block: without the dropped transaction this one would wait for ever.
  const next = await token.write('approve', [challenge.address, 1n], local.signal);
  expect(await madeIn()).toBeGreaterThan(0);
  expect(await madeIn()).toBeLessThanOrEqual(next.blockNumber);
  await asBefore(dora);
});

test('a call that is built on a dropped transaction is made after it: what was refused for want of it succeeds', async () => {
  const { vault, token } = dora.contracts;
  const approved = await token.write('approve', [vault.address, 5n], local.signal);
  await reorganise(dora, approved.blockNumber);
  expect(await allowance(dora, vault.address)).toBe(0n);
  await vault.write('deposit', [5n], local.signal);
  expect(await vault.read('balanceOf', [dora.chain.signer?.address ?? '0x'])).toBe(5n);
  await asBefore(dora);
});

test('a transaction that the node forgets while we wait for it is sent again', async () => {
  const { token, vault } = dora.contracts;
  await dora.chain.provider.send('evm_setIntervalMining', [0]);
  const sent = await token.send('approve', [vault.address, 6n], local.signal);
  await dora.chain.provider.send('anvil_dropTransaction', [sent.hash]);
  await asBefore(dora);
  expect((await sent.confirmed()).hash).toBe(sent.hash);
  expect(await allowance(dora, vault.address)).toBe(6n);
});

test('what a reorganisation has dropped comes back with the next call, also where another process had sent before it', async () => {
  const one = await actor(local, 6);
  const two = await actor(local, 6);
  const { token, vault } = one.contracts;
  const address = one.chain.signer?.address ?? '0x';
  await token.write('approve', [vault.address, pan(9)], local.signal);
  const { blockNumber } = await two.contracts.token.write('approve', [token.address, 2n], local.signal);
  await vault.write('deposit', [pan(1)], local.signal);
  await reorganise(one, blockNumber);
  expect(await vault.read('balanceOf', [address])).toBe(0n);

  await vault.write('deposit', [pan(2)], local.signal);
  await vault.write('deposit', [pan(3)], local.signal);
  expect(await vault.read('balanceOf', [address])).toBe(pan(6));
  expect(await allowance(one, token.address)).toBe(0n);
  expect(await one.chain.provider.getTransactionCount(address)).toBe(4);
  await asBefore(one);
  for (const { chain } of [one, two]) chain[Symbol.dispose]();
});

test('what waits for a nonce whose transaction is gone still happens, once: a transfer of nothing takes that nonce', async () => {
  const one = await actor(local, 8);
  const two = await actor(local, 8);
  const { token, vault } = one.contracts;
  const address = one.chain.signer?.address ?? '0x';
  await token.write('approve', [vault.address, pan(9)], local.signal);
  await one.chain.provider.send('evm_setIntervalMining', [0]);
  const gone = await two.contracts.token.send('approve', [token.address, 2n], local.signal);
  const waiting = await vault.send('deposit', [pan(1)], local.signal);
  await one.chain.provider.send('anvil_dropTransaction', [gone.hash]);
  await asBefore(one);

  expect((await waiting.confirmed()).hash).toBe(waiting.hash);
  expect(await vault.read('balanceOf', [address])).toBe(pan(1));
  expect(await allowance(one, token.address)).toBe(0n);
  expect(await one.chain.provider.getTransactionCount(address)).toBe(3);
  expect(codesOf(one)).toEqual(['transaction.gap_filled']);
  for (const { chain } of [one, two]) chain[Symbol.dispose]();
});

test('what can not come into a block any more is told: its nonce went to another transaction', async () => {
  const one = await actor(local, 7);
  const two = await actor(local, 7);
  const { vault } = one.contracts;
  await one.chain.provider.send('evm_setIntervalMining', [0]);
  const sent = await one.contracts.token.send('approve', [vault.address, 1n], local.signal);
  await one.chain.provider.send('anvil_dropTransaction', [sent.hash]);
  const other = await two.contracts.token.send('approve', [vault.address, 2n], local.signal);
  await asBefore(one);
  await other.confirmed();
  await expect(sent.confirmed()).rejects.toMatchObject({
    family: 'network',
    code: 'transaction.replaced',
    details: { hash: sent.hash, nonce: 0, by: other.hash },
  });
  await one.contracts.token.write('approve', [vault.address, 3n], local.signal);
  expect(await allowance(one, vault.address)).toBe(3n);
  for (const { chain } of [one, two]) chain[Symbol.dispose]();
});
