import { afterAll, beforeAll, expect, test } from 'vitest';
import { latestBlock } from '../../src/chain/client.js';
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

test('a commitment whose block is reorganised away was never made, and is made again', async () => {
  const { challenge } = dora.contracts;
  const { provider, signer } = dora.chain;
  const commitment = `0x${'d0'.repeat(32)}` as const;
  const commit = () => challenge.write('commitDispute', [commitment, 0n], local.signal);
  const madeIn = async () => {
    const { blockNumber } = await challenge.read('commitmentAt', [signer?.address ?? '0x', commitment]);
    return Number(blockNumber);
  };

  const { blockNumber } = await commit();
  expect(await madeIn()).toBe(blockNumber);
  await expect(commit()).rejects.toMatchObject({
    code: 'contract.AlreadyCommitted',
    details: { args: { commitment } },
  });

  await provider.send('evm_setIntervalMining', [0]);
  const { number } = await latestBlock(dora.chain);
  await provider.send('anvil_reorg', [number - blockNumber + 1, []]);
  await provider.send('evm_setAutomine', [true]);
  expect(await madeIn()).toBe(0);
  const drop = challenge.write('dropCommitment', [signer?.address ?? '0x', commitment], local.signal);
  await expect(drop).rejects.toMatchObject({
    code: 'contract.NotCommitted',
    details: { args: { commitment } },
  });
  // the account's nonce went back with the block, which its connection does not know
  const anew = await actor(local, 3);
  const again = await anew.contracts.challenge.write('commitDispute', [commitment, 0n], local.signal);
  anew.chain[Symbol.dispose]();
  expect(await madeIn()).toBe(again.blockNumber);
});
