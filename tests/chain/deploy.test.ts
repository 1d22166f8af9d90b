import { afterAll, beforeAll, expect, test } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { pan } from '../../src/chain/params.js';
import { startTestChain, type TestChain } from '../helpers/chain.js';

let local: TestChain;
beforeAll(async () => {
  local = await startTestChain();
});
afterAll(() => local?.[Symbol.asyncDispose]());

test('the contracts are wired to each other and the subnet has the given rules', async () => {
  const { deployment, deployer } = local;
  const { vault, registry, beacon } = connectContracts(deployer, deployment);
  expect(deployment.subnetId).toBe(1);
  expect(await vault.read('token', [])).toBe(deployment.contracts.token);
  expect(await vault.read('staking', [])).toBe(deployment.contracts.staking);
  expect(await vault.read('market', [])).toBe(deployment.contracts.market);
  expect(await vault.read('court', [])).toBe(deployment.contracts.court);
  expect(await beacon.read('epochLength', [])).toBe(4n);
  const params = await registry.read('paramsOf', [deployment.subnetId, 1]);
  expect(params.solverStake).toBe(pan(100));
  expect(params.panelStart).toBe(3);
});

test('minting gives every account its tokens', async () => {
  const { token } = connectContracts(local.deployer, local.deployment);
  for (const account of developmentAddresses(3)) {
    expect(await token.read('balanceOf', [account])).toBe(pan(10_000));
  }
});
