/** How somebody who has staked leaves again: commands in a terminal, on a chain that goes on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { latestBlock } from '../../src/chain/client.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { followMarket } from '../../src/chain/follow.js';
import { pan } from '../../src/chain/params.js';
import { slotBits } from '../../src/protocol/terms.js';
import { createPurse } from '../../src/roles/purse.js';
import { type Actor, actor, startTestChain, type TestChain, testTerms } from '../helpers/chain.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';
import { tasksOf } from '../helpers/toyRun.js';

// Each command is a process.
vi.setConfig({ testTimeout: 240_000 });

const [solver, verifier] = [0, 1];
const folder = temporaryFolder();
const here = join(folder, 'deployment.json');
let local: TestChain;
beforeAll(async () => {
  // The cooldown is of 800 blocks and the time to solve longer: both end when a test says so. Epochs of two seconds, for the draw.
  const long = { solveSeconds: 1_500, commitSeconds: 1_500, clockSeconds: 1_500 };
  local = await startTestChain({ openSeconds: 600, cooldownEpochs: 200, ...long }, 0.5);
  await writeDeployment(here, local.deployment);
});
afterAll(() => local?.[Symbol.asyncDispose]());

/** A command of this account. */
async function command(account: number, name: string, ...flags: string[]) {
  const args = [name, '--deployment', here, '--mnemonic-index', String(account), ...flags];
  const { code, out, err } = await runCli(args);
  const last = out.at(-1) ?? '';
  return { code, out, err, told: flags.includes('--json') ? JSON.parse(last) : null };
}

/** An account with seats of both roles, or of these. */
async function staked(
  account: number,
  seats: number,
  roles: readonly string[] = ['solver', 'verifier'],
): Promise<Actor> {
  const one = await actor(local, account);
  const purse = createPurse(one);
  const { subnetId } = local.deployment;
  for (const [name, role, price] of [
    ['solver', solver, pan(100)],
    ['verifier', verifier, pan(160)],
  ] as const) {
    if (!roles.includes(name)) continue;
    const stake = () => one.contracts.staking.write('stake', [subnetId, role, seats], local.signal);
    await purse.spend(price * BigInt(seats), stake, local.signal);
  }
  return one;
}

/** Makes empty blocks up to this one: so many at a time that no request lasts. */
async function goOnTo(block: number): Promise<void> {
  for (;;) {
    const { number } = await latestBlock(local.deployer);
    if (number >= block) return;
    const some = Math.min(100, block - number);
    await local.deployer.provider.send('anvil_mine', [`0x${some.toString(16)}`]);
  }
}

const cooldownLine = /block (\d+), about ([-\d]+ [:\d]+)$/;

test('what was staked comes back to the wallet, after the cooldown that the command has told', async () => {
  const one = await staked(9, 2);
  const wallet = () => one.contracts.token.read('balanceOf', [developmentAddresses(10)[9] as `0x${string}`]);
  const before = await wallet();

  const first = await command(9, 'unstake', '--role', 'solver', '--seats', '1', '--json');
  expect([first.code, first.err]).toEqual([0, []]);
  expect(first.told.data).toMatchObject({
    asked: [{ role: 'solver', seats: 1 }],
    stakes: [
      { role: 'solver', seats: 1, pending: 1, staked: '200', locked: 0, cooldown: { over: false } },
      { role: 'verifier', seats: 2, pending: 0, staked: '320', cooldown: null },
    ],
    holds: [],
  });
  for (const [seats, sentence] of [
    ['2', 'At most 1 solver seat of'],
    ['4294967296', '4294967296 were'],
  ] as const) {
    const tooMany = await command(9, 'unstake', '--seats', seats, '--json');
    expect(tooMany.told.errors[0]).toMatchObject({ code: 'stake.too_few_seats' });
    expect(tooMany.told.errors[0].message).toContain(sentence);
  }
  const early = await command(9, 'withdraw', '--json');
  expect(early.code).toBe(7);
  expect(early.told.errors[0]).toMatchObject({
    code: 'withdraw.nothing',
    message: expect.stringMatching(/cools down until epoch \d+, this is epoch \d+/),
  });

  const rest = await command(9, 'unstake');
  expect(rest.code).toBe(0);
  expect(rest.out.slice(0, 2).map((line) => line.replace(/0x\w+/, 'ADDRESS'))).toEqual([
    'asked    1 solver seat of ADDRESS back',
    'asked    2 verifier seats of ADDRESS back',
  ]);
  const [, , solving = '', verifying = ''] = rest.out;
  const [, , at = ''] = cooldownLine.exec(solving) ?? [];
  // 800 blocks of half a second, give or take what the machine does.
  const minutes = (Date.parse(at.replace(' ', 'T')) - Date.now()) / 60_000;
  expect([minutes > 1, minutes < 60]).toEqual([true, true]);
  const again = await command(9, 'unstake');
  expect([again.code, again.out[0]]).toEqual([0, expect.stringContaining('nothing new')]);

  // One transaction asks for each role: the second may have come in a later epoch.
  await goOnTo(Math.max(...[solving, verifying].map((line) => Number(cooldownLine.exec(line)?.[1]))));
  const tooMuch = await command(9, 'withdraw', '--amount', '1000', '--json');
  expect(tooMuch.told.errors[0]).toMatchObject({
    code: 'withdraw.too_much',
    message: expect.stringContaining('of which 520 were stake that this command has freed, 1000 were asked'),
  });
  const part = await command(9, 'withdraw', '--amount', '20.5', '--json');
  expect(part.told.data).toMatchObject({ freed: '0', paid: '20.5', vault: '499.5', holds: [] });
  const all = await command(9, 'withdraw');
  expect(all.out).toEqual([`paid     499.5 PAN to ${developmentAddresses(10)[9]}`]);
  expect((await wallet()) - before).toBe(pan(520));
  expect((await command(9, 'withdraw', '--json')).told.errors[0].code).toBe('withdraw.nothing');
  one.chain[Symbol.dispose]();
});

test('a bond that a task was drawn for is told, and comes back only when the task has ended', async () => {
  const buyer = await actor(local, 2);
  const drawn = await staked(10, 1);
  const { subnetId } = local.deployment;
  const market = await followMarket({
    ...{ chain: buyer.chain, deployment: local.deployment, signal: local.signal, pollMs: 50 },
  });
  const terms = { ...testTerms(subnetId, developmentAddresses(3)[2] as `0x${string}`), slots: slotBits([0]) };
  const post = () => buyer.contracts.market.write('createBatch', [terms], local.signal);
  await createPurse(buyer).spend(pan(10), post, local.signal);
  const { keepDuring } = await import('../../src/roles/keep.js');
  const { readRules } = await import('../../src/roles/rules.js');
  const rules = await readRules(buyer.contracts, subnetId);
  const context = { ...buyer, market, sot: null as never };
  const until = <T>(work: Promise<T>) => keepDuring(context, { rules }, local.signal, work);
  const assigned = await until(
    market.waitFor((view) => tasksOf(view).find(({ state }) => state === 'assigned'), local.signal),
  );

  const asked = await command(10, 'unstake', '--json');
  expect(asked.told.data).toMatchObject({
    stakes: [
      { role: 'solver', seats: 0, pending: 1, locked: 1 },
      { role: 'verifier', seats: 0, pending: 1, locked: 0 },
    ],
    holds: [
      { role: 'solver', what: 'task', taskId: assigned.taskId, state: 'assigned', until: assigned.solveBy },
    ],
  });
  const stakes: { cooldown: { block: number } }[] = asked.told.data.stakes;
  await goOnTo(Math.max(...stakes.map(({ cooldown }) => cooldown.block)));
  // The verifier's seat is free: the solver's is not, and nothing of it is paid.
  const half = await command(10, 'withdraw');
  expect(half.out.slice(0, 2)).toEqual([
    'freed    160 PAN of stake',
    `paid     160 PAN to ${assigned.solver}`,
  ]);
  expect(half.out.join('\n')).toContain(
    `held     solver bond by task ${assigned.taskId.slice(0, 10)}: assigned`,
  );
  const none = await command(10, 'withdraw', '--json');
  expect(none.told.errors[0].message).toContain('held by 1 bond');

  await local.deployer.provider.send('evm_increaseTime', [1_500]);
  // It never solves: its seat is broken up, a tenth is burned, the rest is its own.
  await until(
    market.waitFor(
      (view) => tasksOf(view).every(({ state }) => state !== 'assigned') || undefined,
      local.signal,
    ),
  );
  const left = await command(10, 'withdraw');
  expect(left.out).toEqual([`paid     90 PAN to ${assigned.solver}`]);
  for (const { chain } of [buyer, drawn]) chain[Symbol.dispose]();
});

const nobody = `0x${'00'.repeat(20)}`;
const vault = () => JSON.parse(readFileSync(here, 'utf8')).contracts.vault;
/** arguments, exit code, code of the error, a part of the sentence */
const nonsense: [string[], number, string, string][] = [
  [['unstake'], 7, 'stake.none', 'has no stake in subnet 1'],
  [['unstake', '--seats', '3'], 7, 'stake.none', 'has no stake in subnet 1'],
  [['unstake', '--role', 'verifier', '--seats', '3'], 7, 'stake.none', 'has no stake as verifier'],
  [['unstake', '--seats', '0'], 2, 'usage', 'Expected a whole number above 0'],
  [['unstake', '--role', 'buyer'], 2, 'usage', 'Allowed choices are solver, verifier'],
  [['withdraw'], 7, 'withdraw.nothing', 'no stake of it was asked back'],
  [['withdraw', '--amount', '5'], 7, 'withdraw.too_much', 'has 0 PAN in the vault, 5 were asked for'],
  [['withdraw', '--amount', '0'], 2, 'usage', 'Expected an amount above 0'],
  [['withdraw', '--to', nobody], 2, 'withdraw.no_wallet', 'which is nobody'],
  [['withdraw', '--to', 'me'], 2, 'usage', 'Expected 0x and 40 hex digits'],
];

test.each(nonsense)('%j is refused with code %i', async (args, code, name, sentence) => {
  const [command_ = '', ...flags] = args;
  const { code: received, told, err } = await command(11, command_, ...flags, '--json');
  expect([received, told.errors[0].code]).toEqual([code, name]);
  expect(told.errors[0].message).toContain(sentence);
  expect(told.errors[0].next).toBeTruthy();
  expect(err.join('\n')).toContain('next: ');
});

test('who holds seats of one role asks them back without naming it', async () => {
  const one = await staked(12, 1, ['verifier']);
  const { told } = await command(12, 'unstake', '--seats', '1', '--json');
  expect(told.data.asked).toEqual([{ role: 'verifier', seats: 1 }]);
  one.chain[Symbol.dispose]();
});

test('tokens are not sent where nobody can get them from', async () => {
  const { code, err } = await command(11, 'withdraw', '--to', vault());
  expect([code, err[0]]).toEqual([2, expect.stringContaining('which is the vault of this deployment')]);
  const typo = '0x90F79bf6EB2c4f870365E785982E1f101E93b907';
  expect((await command(11, 'withdraw', '--to', typo)).err[0]).toContain('a digit is mistyped');
});

test('both commands tell how they are used', async () => {
  for (const name of ['unstake', 'withdraw']) {
    const { code, out } = await runCli([name, '--help']);
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(new RegExp(`Examples:\\n +panthalia ${name}`));
  }
});
