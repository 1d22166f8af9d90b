/** The owner of a subnet pauses it, goes on, closes it, and gets its bond back; everybody hears of it. */
import { expect, test } from 'vitest';
import { connectContracts } from '../../src/chain/contracts.js';
import { followMarket } from '../../src/chain/follow.js';
import { pan } from '../../src/chain/params.js';
import { expectBooksToAgree } from '../helpers/books.js';
import { actor, startTestChain, testTerms } from '../helpers/chain.js';

const thirtyDays = 30 * 24 * 3600;

test('a paused subnet takes nothing new and pays everything out, a closed one gives its bond back', async () => {
  await using local = await startTestChain();
  const { deployer, deployment, signal } = local;
  const { subnetId } = deployment;
  const { registry, token, vault, market, staking } = connectContracts(deployer, deployment);
  const owner = deployer.signer?.address ?? '0x';
  const first = { owner, version: 1, versionFrom: 0 };
  const follower = await followMarket({ chain: deployer, deployment, signal, pollMs: 50 });
  const after = async ({ blockNumber }: { blockNumber: number }) =>
    (await follower.caughtUp(blockNumber, signal)).subnets.get(subnetId);
  expect(follower.view.subnets.get(subnetId)).toEqual({ ...first, state: 'open' });
  expect(await vault.read('balanceOf', [registry.address])).toBe(pan(100));

  await token.write('approve', [vault.address, pan(1_000)], signal);
  await vault.write('deposit', [pan(1_000)], signal);
  await staking.write('stake', [subnetId, 0, 1], signal);
  const stranger = await actor(local, 5);
  const uninvited = stranger.contracts.registry.write('pause', [subnetId], signal);
  await expect(uninvited).rejects.toMatchObject({ code: 'contract.NotSubnetOwner' });
  stranger.chain[Symbol.dispose]();

  expect(await after(await registry.write('pause', [subnetId], signal))).toEqual({
    ...first,
    state: 'paused',
  });
  const terms = testTerms(subnetId, owner);
  await expect(market.write('createBatch', [terms], signal)).rejects.toMatchObject({
    code: 'contract.SubnetIsPaused',
  });
  await expect(staking.write('stake', [subnetId, 0, 1], signal)).rejects.toMatchObject({
    code: 'contract.SubnetIsPaused',
  });
  await staking.write('requestUnstake', [subnetId, 0, 1], signal);

  expect(await after(await registry.write('resume', [subnetId], signal))).toEqual({
    ...first,
    state: 'open',
  });
  await market.write('createBatch', [terms], signal);

  const closed = await registry.write('closeSubnet', [subnetId], signal);
  expect(await after(closed)).toEqual({ ...first, state: 'closed' });
  await expect(registry.write('returnBond', [subnetId], signal)).rejects.toMatchObject({
    code: 'contract.BondNotDue',
  });
  await deployer.provider.send('evm_increaseTime', [thirtyDays]);
  const before = await vault.read('balanceOf', [owner]);
  await registry.write('returnBond', [subnetId], signal);
  expect(await vault.read('balanceOf', [owner])).toBe(before + pan(100));
  await expectBooksToAgree(local);
});
