import { keccak256, toQuantity } from 'ethers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createChain } from '../../src/chain/client.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { pan } from '../../src/chain/params.js';
import { settleSent } from '../../src/chain/resend.js';
import { createBus } from '../../src/events/bus.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { type Actor, actor, startTestChain, type TestChain } from '../helpers/chain.js';
import { behind, NoAnswer, type Pass, RpcRefusal, startMoodyRpc } from '../helpers/moodyRpc.js';

type Mood = (method: string, params: readonly unknown[], pass: Pass) => Promise<unknown>;

let local: TestChain;
beforeAll(async () => {
  local = await startTestChain();
});
afterAll(() => local?.[Symbol.asyncDispose]());

/** An account with 10 PAN that its vault may take, behind a node in this mood. */
async function behindMoody(account: number, mood: Mood) {
  const plain = await actor(local, account);
  await plain.contracts.token.write('approve', [plain.contracts.vault.address, pan(10)], local.signal);
  plain.chain[Symbol.dispose]();
  const rpc = await startMoodyRpc(local.anvil.rpcUrl, mood);
  const events: PanthaliaEvent[] = [];
  const emit = (event: PanthaliaEvent) => void events.push(event);
  const chain = await createChain({ rpcUrl: rpc.url, account: { mnemonicIndex: account }, emit });
  const one: Actor = { chain, contracts: connectContracts(chain, local.deployment), events, emit };
  const address = chain.signer?.address ?? '0x';
  return {
    ...one,
    address,
    deposit: (amount: bigint) => one.contracts.vault.write('deposit', [amount], local.signal),
    /** in the vault, and how many transactions it took, with the approval */
    outcome: async () => [
      await one.contracts.vault.read('balanceOf', [address]),
      await local.deployer.provider.getTransactionCount(address),
    ],
    codes: () => events.flatMap((event) => (event.type === 'alert' ? [event.code] : [])),
    [Symbol.asyncDispose]: async () => {
      chain[Symbol.dispose]();
      await rpc[Symbol.asyncDispose]();
    },
  };
}

/** Does `once` with the first call of this method, and passes on the rest. */
function first(method: string, once: (params: readonly unknown[], pass: Pass) => Promise<unknown>): Mood {
  let isOver = false;
  return async (asked, params, pass) => {
    if (asked !== method || isOver) return pass(asked, params);
    isOver = true;
    return once(params, pass);
  };
}

const sending = 'eth_sendRawTransaction';

test('a transaction whose answer is lost happens once', async () => {
  const taken = first(sending, async (params, pass) => {
    await pass(sending, params);
    throw new NoAnswer('cut');
  });
  await using one = await behindMoody(3, taken);
  await one.deposit(pan(1));
  expect(await one.outcome()).toEqual([pan(1), 2]);
  expect(one.codes()).toEqual([]);
});

test('a transaction that is lost before the node has it is sent again as it was signed', async () => {
  await using one = await behindMoody(
    4,
    first(sending, async () => Promise.reject(new NoAnswer('cut'))),
  );
  await one.deposit(pan(1));
  expect(await one.outcome()).toEqual([pan(1), 2]);
  expect(one.codes()).toEqual(['transaction.sent_again']);
});

test('a service that repeats a request by itself, and refuses the second, has taken the first', async () => {
  const twice = first(sending, async (params, pass) => {
    const hash = await pass(sending, params);
    while ((await pass('eth_getTransactionReceipt', [hash])) === null) await pass('evm_mine', []);
    return pass(sending, params);
  });
  await using one = await behindMoody(5, twice);
  await one.deposit(pan(1));
  expect(await one.outcome()).toEqual([pan(1), 2]);
  expect(one.codes()).toEqual([]);
});

test('a transaction that the service refuses was not sent, and its nonce is free', async () => {
  await using one = await behindMoody(
    6,
    first(sending, async () => Promise.reject(new NoAnswer(403))),
  );
  await expect(one.deposit(pan(1))).rejects.toMatchObject({ family: 'network', code: 'rpc.failed' });
  await one.deposit(pan(2));
  expect(await one.outcome()).toEqual([pan(2), 2]);
});

test('a node that is behind the others makes nobody take a transaction for replaced', async () => {
  // Long enough that it is looked after while one node has counted it and the other has not seen its receipt.
  let blocks = 50;
  const late = behind(() => blocks);
  const mood: Mood = (method, params, pass) =>
    method === 'eth_getTransactionReceipt' ? late(method, params, pass) : pass(method, params);
  await using one = await behindMoody(7, mood);
  await one.deposit(pan(1));
  blocks = 0;
  expect(await one.outcome()).toEqual([pan(1), 2]);
  expect(one.codes()).toEqual([]);
});

test('what is sent through a node that has not heard of our last transactions does not take their nonces', async () => {
  const late = behind(() => 1_000);
  let isLate = false;
  const mood: Mood = (method, params, pass) =>
    method === 'eth_getTransactionCount' && isLate
      ? late(method, [params[0], 'latest'], pass)
      : pass(method, params);
  await using one = await behindMoody(8, mood);
  await one.deposit(pan(1));
  isLate = true;
  await Promise.all([one.deposit(pan(2)), one.deposit(pan(3))]);
  expect(await one.outcome()).toEqual([pan(6), 4]);
});

test('a call that nobody waits for any more and is made again while it is on its way happens once', async () => {
  await using one = await behindMoody(9, (method, params, pass) => pass(method, params));
  const { provider } = local.deployer;
  await provider.send('evm_setIntervalMining', [0]);
  const stop = new AbortController();
  const sent = await one.contracts.vault.send('deposit', [pan(4)], stop.signal);
  stop.abort(new Error('stopped'));
  await expect(sent.confirmed()).rejects.toThrow(/stopped|aborted/);
  expect(one.codes()).toEqual(['transaction.left']);
  const again = one.deposit(pan(4));
  await provider.send('anvil_setIntervalMining', [1]);
  expect((await again).hash).toBe(sent.hash);
  expect(await one.outcome()).toEqual([pan(4), 2]);
  // Now that it has happened, the same call is another one.
  await one.deposit(pan(4));
  expect(await one.outcome()).toEqual([pan(8), 3]);
});

test('a transaction that the chain has become too dear for offers more, at the same nonce', async () => {
  await using one = await behindMoody(10, (method, params, pass) => pass(method, params));
  const { provider } = local.deployer;
  await provider.send('evm_setIntervalMining', [0]);
  const sent = await one.contracts.vault.send('deposit', [pan(1)], local.signal);
  await provider.send('anvil_setNextBlockBaseFeePerGas', ['0x9184e72a000']);
  await provider.send('evm_mine', []);
  const waiting = sent.confirmed();
  await provider.send('anvil_setIntervalMining', [1]);
  const receipt = await waiting;
  expect(receipt.hash).not.toBe(sent.hash);
  expect(one.codes()).toContain('transaction.fee_raised');
  expect(await one.outcome()).toEqual([pan(1), 2]);
  await expect(provider.getTransactionReceipt(sent.hash)).resolves.toBeNull();
});

test('what no node takes any more ends the wait, and its nonce is free', async () => {
  const answers = [new NoAnswer('cut'), new RpcRefusal(-32000, 'intrinsic gas too low')];
  await using one = await behindMoody(13, async (method, params, pass) => {
    const answer = method === sending ? answers.shift() : undefined;
    if (answer !== undefined) throw answer;
    return pass(method, params);
  });
  await expect(one.deposit(pan(1))).rejects.toMatchObject({ family: 'network', code: 'rpc.failed' });
  await one.deposit(pan(2));
  expect(await one.outcome()).toEqual([pan(2), 2]);
  expect(one.codes()).toEqual([]);
});

test('a node that has what it did not count has lost nothing, and no alert says so', async () => {
  let sends = 0;
  await using one = await behindMoody(14, async (method, params, pass) => {
    if (method !== sending) return pass(method, params);
    if (++sends === 1) throw new NoAnswer('cut');
    await pass(method, params);
    throw new RpcRefusal(-32000, 'already known');
  });
  await one.deposit(pan(1));
  expect(await one.outcome()).toEqual([pan(1), 2]);
  expect(one.codes()).toEqual([]);
});

test('a dearer offer whose answer is lost is made again as it was signed, and told once a node has it', async () => {
  const shown: unknown[] = [];
  await using one = await behindMoody(15, async (method, params, pass) => {
    if (method === sending && shown.push(params[0]) === 2) throw new NoAnswer('cut');
    // As geth counts: all that is in the pool, however cheap.
    if (method === 'eth_getTransactionCount' && params[1] === 'pending' && shown.length > 0) return '0x2';
    return pass(method, params);
  });
  const { provider } = local.deployer;
  await provider.send('evm_setIntervalMining', [0]);
  const sent = await one.contracts.vault.send('deposit', [pan(1)], local.signal);
  await provider.send('anvil_setNextBlockBaseFeePerGas', ['0x9184e72a000']);
  await provider.send('evm_mine', []);
  const waiting = sent.confirmed();
  await provider.send('anvil_setIntervalMining', [1]);
  expect((await waiting).hash).not.toBe(sent.hash);
  expect(shown).toHaveLength(3);
  // It may have arrived: nothing else is signed for it.
  expect(shown[2]).toBe(shown[1]);
  expect(one.codes()).toEqual(['transaction.fee_raised']);
  expect(await one.outcome()).toEqual([pan(1), 2]);
});

test.each([
  [-32005, 'daily request count exceeded, request rate limited'],
  [-32000, 'header not found'],
  [-32603, 'upstream request timed out'],
])('what a node says of itself (%d, %s) is no refusal of a contract', async (code, message) => {
  const refuse = async () => Promise.reject(new RpcRefusal(code, message));
  await using one = await behindMoody(11, first('eth_call', refuse));
  await expect(one.contracts.vault.read('balanceOf', [one.address])).rejects.toMatchObject({
    family: 'network',
    code: 'rpc.unreachable',
  });
  await using two = await behindMoody(11, first('eth_estimateGas', refuse));
  await expect(two.deposit(1n)).rejects.toMatchObject({ code: 'rpc.unreachable' });
});

test('a transaction that ran out of gas is no refusal of a contract, and says how much it had', async () => {
  await using one = await behindMoody(12, (method, params, pass) => pass(method, params));
  const options = { signal: local.signal, gasLimit: 30_000n };
  const failed = one.contracts.vault.write('deposit', [pan(1)], options);
  await expect(failed).rejects.toMatchObject({
    family: 'reverted',
    code: 'transaction.failed',
    message: expect.stringMatching(/with \d+ of 3\d{4} gas, and a repetition of the call succeeds\.$/),
  });
});

test.each([401, 404])(
  'a transaction that a service turns away with %d was not sent, and its nonce is free',
  async (status) => {
    await using one = await behindMoody(
      status === 401 ? 16 : 17,
      first(sending, async () => Promise.reject(new NoAnswer(status))),
    );
    await expect(one.deposit(pan(1))).rejects.toMatchObject({ family: 'network', code: 'rpc.failed' });
    await one.deposit(pan(2));
    expect(await one.outcome()).toEqual([pan(2), 2]);
  },
);

test.each([408, 504])(
  'a service that gave up waiting for its node (%d) may have handed the transaction on: it happens once',
  async (status) => {
    const handedOn = first(sending, async (params, pass) => {
      await pass(sending, params);
      throw new NoAnswer(status);
    });
    await using one = await behindMoody(status === 408 ? 18 : 19, handedOn);
    await one.deposit(pan(1));
    expect(await one.outcome()).toEqual([pan(1), 2]);
    expect(one.codes()).toEqual([]);
  },
);

test.each([
  ['max fee per gas less than block base fee', 3],
  ['transaction underpriced', 4],
  ['nonce too high', 5],
])(
  'a node that does not take a transaction yet (%s) is shown it again, as it was signed',
  async (says, account) => {
    const shown: unknown[] = [];
    await using one = await behindMoody(account, async (method, params, pass) => {
      if (method === sending && shown.push(params[0]) === 1) throw new RpcRefusal(-32000, says);
      return pass(method, params);
    });
    const [held, count] = await one.outcome();
    await one.deposit(pan(1));
    expect(await one.outcome()).toEqual([(held as bigint) + pan(1), (count as number) + 1]);
    expect(shown).toHaveLength(2);
    expect(shown[1]).toBe(shown[0]);
  },
);

test('a dearer offer that the node refuses is no version of the transaction, and the next one is made anew', async () => {
  const shown: unknown[] = [];
  await using one = await behindMoody(6, async (method, params, pass) => {
    if (method === sending && shown.push(params[0]) === 2)
      throw new RpcRefusal(-32000, 'replacement transaction underpriced');
    if (method === 'eth_getTransactionCount' && params[1] === 'pending' && shown.length > 0) {
      return `0x${(Number(await pass(method, [params[0], 'latest'])) + 1).toString(16)}`;
    }
    return pass(method, params);
  });
  const [held, count] = await one.outcome();
  const { provider } = local.deployer;
  await provider.send('evm_setIntervalMining', [0]);
  const sent = await one.contracts.vault.send('deposit', [pan(1)], local.signal);
  await provider.send('anvil_setNextBlockBaseFeePerGas', ['0x5af3107a4000']);
  await provider.send('evm_mine', []);
  const waiting = sent.confirmed();
  await provider.send('anvil_setIntervalMining', [1]);
  const { hash } = await waiting;
  expect(shown).toHaveLength(3);
  expect([keccak256(shown[0] as string), hash]).toEqual([sent.hash, keccak256(shown[2] as string)]);
  // The refused one was never an offer: nobody is told of it, and nobody looks for its receipt.
  expect(one.codes()).toEqual(['transaction.fee_raised']);
  expect(one.chain.signer?.sent.get(Number(count))?.signed).toHaveLength(2);
  expect(await one.outcome()).toEqual([(held as bigint) + pan(1), (count as number) + 1]);
});

test('of what was sent only as much is kept as a reorganisation may take away', async () => {
  await using one = await behindMoody(7, (method, params, pass) => pass(method, params));
  const { token, vault } = one.contracts;
  for (let sent = 0; sent < 8; sent++) {
    const approvals = Array.from({ length: 20 }, (_, i) =>
      token.write('approve', [vault.address, BigInt(i)], local.signal),
    );
    await Promise.all(approvals);
  }
  const kept = one.chain.signer?.sent;
  expect(kept?.size).toBeLessThanOrEqual(64 + 20);
  expect(Math.min(...(kept?.keys() ?? []))).toBeGreaterThan(60);
});

test("a library's own sentence about a request does not bring the key of the RPC into a log", async () => {
  const withoutReceipts = new Set(['eth_getTransactionReceipt', 'eth_gasPrice']);
  await using rpc = await startMoodyRpc(local.anvil.rpcUrl, async (method, params, pass) => {
    if (withoutReceipts.has(method)) throw new NoAnswer(404);
    return pass(method, params);
  });
  const rpcUrl = `${rpc.url}/v2/(hush-1)?key=hush-2`;
  using chain = await createChain({ rpcUrl, account: { mnemonicIndex: 13 } });
  const { token, vault } = connectContracts(chain, local.deployment);
  const failed: Error = await token
    .write('approve', [vault.address, 1n], local.signal)
    .catch((error) => error);
  expect(failed).toMatchObject({ code: 'rpc.failed' });
  expect(`${failed.message} ${JSON.stringify(failed)}`).not.toContain('hush');

  const raw: Error = await chain.provider.send('eth_gasPrice', []).catch((error) => error);
  expect(raw.message).toContain('hush-2');
  const bus = createBus({ run: '-' });
  const told: string[] = [];
  bus.subscribe((event) => told.push(JSON.stringify(event)));
  const emit = bus.emitterFor('worker');
  emit({ type: 'alert', level: 'warn', message: `solution of task 0x12 ended: ${raw.message}` });
  emit({ type: 'process.log', process: 'worker_0', line: `Error: ${raw.message.replace('http', 'HTTP')}` });
  expect(told).toHaveLength(2);
  for (const line of told) expect(line).toContain(rpc.url.slice('http'.length));
  expect(told.join()).not.toContain('hush');
});

test('what waits for all that was sent says of a node that is away that asking again may help, and it does', async () => {
  let blocksAsked = Number.NEGATIVE_INFINITY;
  await using one = await behindMoody(1, async (method, params, pass) => {
    // The first shows that gas has become dearer, the second by how much.
    if (method === 'eth_getBlockByNumber' && ++blocksAsked === 2) throw new NoAnswer('cut');
    return pass(method, params);
  });
  const { provider } = local.deployer;
  await provider.send('evm_setIntervalMining', [0]);
  const sent = await one.contracts.vault.send('deposit', [pan(1)], local.signal);
  const offered = (await provider.getTransaction(sent.hash))?.maxFeePerGas ?? 0n;
  await provider.send('anvil_setNextBlockBaseFeePerGas', [toQuantity(2n * offered)]);
  await provider.send('evm_mine', []);
  blocksAsked = 0;
  await expect(settleSent(one.chain, local.signal)).rejects.toMatchObject({ code: 'rpc.unreachable' });
  const settling = settleSent(one.chain, local.signal);
  await provider.send('anvil_setIntervalMining', [1]);
  const { blockNumber } = await sent.confirmed();
  expect(await settling).toBeGreaterThanOrEqual(blockNumber);
  expect(await one.outcome()).toEqual([pan(1), 2]);
});
