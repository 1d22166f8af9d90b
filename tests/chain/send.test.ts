import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChain } from '../../src/chain/client.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { pan } from '../../src/chain/params.js';
import { PanthaliaError } from '../../src/errors.js';
import { batchIdOf, taskIdOf } from '../../src/protocol/terms.js';
import { type Actor, actor, startTestChain, type TestChain, testTerms } from '../helpers/chain.js';

const nothing = `0x${'00'.repeat(32)}` as const;

let local: TestChain;
let alice: Actor;
beforeAll(async () => {
  local = await startTestChain();
  alice = await actor(local, 3);
});
afterAll(async () => {
  alice?.chain[Symbol.dispose]();
  await local?.[Symbol.asyncDispose]();
});

async function failure(promise: Promise<unknown>): Promise<PanthaliaError> {
  const error = await promise.then(
    () => null,
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(PanthaliaError);
  return error;
}

test('a refusal is told in the words of the contract, with its values', async () => {
  const { market } = alice.contracts;
  const terms = testTerms(local.deployment.subnetId, '0x00000000000000000000000000000000000000A1');
  const submission = { traceRoot: nothing, resultRoot: nothing, leavesBlob: nothing };
  const error = await failure(market.write('submit', [terms, 3, submission], local.signal));
  // Nobody posted these terms: their ids are those of our twin, and the task has no status.
  const place = { chainId: local.deployment.chainId, market: market.address };
  const taskId = taskIdOf(place, batchIdOf(place, terms), 3);
  expect(error).toMatchObject({ family: 'reverted', code: 'contract.WrongStatus', exitCode: 10 });
  expect(error.message).toBe(`The contract refused submit: WrongStatus(taskId = ${taskId}, status = 0).`);
  expect(error.details).toEqual({
    call: 'submit',
    error: 'WrongStatus',
    args: { taskId, status: 0 },
  });
});

test('a refusal further down is told too: the vault refuses a withdrawal that is not covered', async () => {
  const { vault, staking } = alice.contracts;
  const { subnetId } = local.deployment;
  const error = await failure(staking.write('stake', [subnetId, 0, 1], local.signal));
  expect(error.code).toBe('contract.InsufficientBalance');
  expect(error.details).toMatchObject({ args: { needed: pan(100), available: 0n } });
  const view = await failure(alice.contracts.registry.read('paramsOf', [99, 1]));
  expect(view.code).toMatch(/^contract\.Unknown(Subnet|Version)$/);
  expect(await vault.read('balanceOf', [alice.chain.signer?.address ?? '0x'])).toBe(0n);
});

test('parallel sends from one account all arrive, also after one of them was refused', async () => {
  const { token, vault } = alice.contracts;
  const spender = local.deployment.contracts.vault;
  const approvals = Array.from({ length: 12 }, (_, i) => {
    const approve = token.write('approve', [spender, BigInt(i + 1)], local.signal);
    return i === 5
      ? failure(vault.write('withdraw', [spender, 1n], local.signal)).then(() => approve)
      : approve;
  });
  const receipts = await Promise.all(approvals);
  expect(new Set(receipts.map((receipt) => receipt.hash)).size).toBe(12);
  const sent = alice.events.filter((event) => event.type === 'transaction.sent' && event.what === 'approve');
  expect(sent).toHaveLength(12);
});

test('two connections of one account do not block each other: the stale nonce is read again, and both say so', async () => {
  const one = await actor(local, 4);
  const two = await actor(local, 4);
  const spender = local.deployment.contracts.vault;
  // Each has counted its own sends; from the second round on both would use the same nonces.
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      [one, two].map(({ contracts }) => contracts.token.write('approve', [spender, 1n], local.signal)),
    );
  }
  expect(await local.deployer.provider.getTransactionCount(one.chain.signer?.address ?? '0x')).toBe(8);
  const alerts = [...one.events, ...two.events].filter((event) => event.type === 'alert');
  expect(alerts.length).toBeGreaterThan(0);
  expect(alerts.every((event) => event.code === 'transaction.stale_nonce')).toBe(true);
  for (const { chain } of [one, two]) chain[Symbol.dispose]();
});

test('an account without gas is told so', async () => {
  const privateKey = `0x${'ab'.repeat(32)}`;
  using poor = await createChain({ rpcUrl: local.anvil.rpcUrl, account: { privateKey } });
  const { token } = connectContracts(poor, local.deployment);
  const error = await failure(token.write('approve', [token.address, 1n], local.signal));
  expect(error).toMatchObject({ family: 'user', code: 'account.no_funds', exitCode: 7 });
  expect(error.message).toContain(poor.signer?.address);
});

test('a wrong chain, a missing node and a bad URL each get one clear sentence', async () => {
  const { rpcUrl } = local.anvil;
  const wrong = await failure(createChain({ rpcUrl, chainId: 1 }));
  expect(wrong).toMatchObject({ family: 'network', code: 'chain.wrong_id' });
  expect(wrong.message).toBe(`Chain 1 was expected at ${rpcUrl}, chain 31337 answered.`);

  // A port that nobody is given by chance.
  const missing = await failure(createChain({ rpcUrl: 'http://127.0.0.1:1' }));
  expect(missing).toMatchObject({ family: 'network', code: 'rpc.unreachable', exitCode: 6 });
  expect(missing.message).toContain('http://127.0.0.1:1');

  expect(await failure(createChain({ rpcUrl: 'localhost:8545' }))).toMatchObject({ code: 'rpc.bad_url' });
  for (const rpcUrl of ['wss://me:secret@node.example/v2/secret?key=secret', 'node.example/v2/secret']) {
    const bad = await failure(createChain({ rpcUrl }));
    expect(bad).toMatchObject({ code: 'rpc.bad_url', message: expect.stringContaining('node.example"') });
    expect(JSON.stringify([bad.message, bad.details])).not.toContain('secret');
  }
});

test('an address without a contract is told as such, and not as an answer that can not be read', async () => {
  const nobody = '0x00000000000000000000000000000000000000b0';
  const contracts = { ...local.deployment.contracts, staking: nobody } as const;
  const { staking } = connectContracts(alice.chain, { contracts });
  const error = await failure(staking.read('positionOf', [1, 0, nobody]));
  expect(error).toMatchObject({ family: 'config', code: 'chain.no_contract', details: { address: nobody } });
  expect(error.message).toBe(
    `There is no contract of ours at ${nobody} on chain 31337: positionOf answers with nothing.`,
  );
});

test('an aborted wait ends with the reason, and the transaction is not lost', async () => {
  const { token } = alice.contracts;
  const stop = new AbortController();
  const sent = await token.send('approve', [token.address, 7n], stop.signal);
  stop.abort(new Error('stopped'));
  await expect(sent.confirmed()).rejects.toThrow(/stopped|aborted/);
  await expect(token.write('approve', [token.address, 8n], stop.signal)).rejects.toThrow('stopped');
  const next = await token.write('approve', [token.address, 9n], local.signal);
  expect(next.blockNumber).toBeGreaterThan(0);
});
