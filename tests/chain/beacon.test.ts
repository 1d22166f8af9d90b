import { afterAll, beforeAll, expect, test } from 'vitest';
import { latestBlock } from '../../src/chain/client.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { headerRlp } from '../../src/chain/header.js';
import { epochOf, seedBlock } from '../../src/protocol/epochs.js';
import { voteCommitment, voteSalt } from '../../src/protocol/vote.js';
import { startTestChain, type TestChain } from '../helpers/chain.js';

let local: TestChain;
beforeAll(async () => {
  local = await startTestChain();
});
afterAll(() => local?.[Symbol.asyncDispose]());

test('the seed of an epoch is proven by the header of its block, and by no other', async () => {
  const { beacon } = connectContracts(local.deployer, local.deployment);
  const rules = { epochLength: 4, seedDelay: 0 };
  const { number } = await latestBlock(local.deployer);
  const epoch = epochOf(number, rules) - 1;
  expect(await beacon.read('epochOf', [BigInt(number)])).toBe(epoch + 1);
  const block = seedBlock(epoch, rules);
  expect(await beacon.read('targetBlock', [epoch])).toBe(BigInt(block));

  const other = await headerRlp(local.deployer, block - 1);
  await expect(beacon.write('fulfil', [epoch, other], local.signal)).rejects.toMatchObject({
    code: 'contract.WrongBlock',
  });
  await beacon.write('fulfil', [epoch, await headerRlp(local.deployer, block)], local.signal);
  const [value, ready] = await beacon.read('seed', [epoch]);
  expect(ready).toBe(true);
  expect(value).toMatch(/^0x(?!0{64})[0-9a-f]{64}$/);
  const again = beacon.write('fulfil', [epoch, await headerRlp(local.deployer, block)], local.signal);
  await expect(again).rejects.toMatchObject({ code: 'contract.SeedAlreadyKnown' });
});

test('a block that does not exist yet is not found', async () => {
  await expect(headerRlp(local.deployer, 1_000_000)).rejects.toMatchObject({
    family: 'notFound',
    code: 'chain.no_block',
  });
});

test('vote commitments are those of the court', async () => {
  const { court } = connectContracts(local.deployer, local.deployment);
  const voter = local.deployer.signer?.address ?? '0x';
  const at = { caseId: `0x${'c1'.repeat(32)}` as const, round: 2, seat: 4 };
  const answer = `0x${'a5'.repeat(32)}` as const;
  const salt = voteSalt(Buffer.alloc(32, 7), court.address, at);
  const place = { ...at, chainId: 31337, court: court.address, voter };
  for (const [verdict, code] of [
    ['valid', 1],
    ['invalid', 2],
    ['unavailable', 3],
  ] as const) {
    const args = [at.caseId, at.round, at.seat, voter, code, answer, salt] as const;
    expect(voteCommitment(place, { verdict, answer }, salt)).toBe(await court.read('voteHash', args));
  }
});
