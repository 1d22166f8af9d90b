import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runWorker } from '../../src/actions/runRole.js';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { pan } from '../../src/chain/params.js';
import { conformanceDefaults, pinnedDigests } from '../../src/engine/conformance.js';
import type { Address } from '../../src/protocol/task.js';
import { startTestChain } from '../helpers/chain.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';
import { startToyRun } from '../helpers/toyRun.js';

const { steps, shortSteps } = conformanceDefaults;

test('panthalia conformance prints the digest, as a line and as one object, and no progress into a pipe', async () => {
  const { code, out, err } = await runCli(['conformance']);
  expect([code, err]).toEqual([0, []]);
  expect(out).toHaveLength(1);
  expect(out[0]).toContain(`canon-f32-v1  ${pinnedDigests[steps]}  as pinned`);

  const short = await runCli(['conformance', '--steps', String(shortSteps), '--threads', '2', '--json']);
  expect(short.code).toBe(0);
  const report = JSON.parse(short.out.join('\n'));
  expect(Object.keys(report)).toEqual([
    ...['schema', 'opset', 'digest', 'expected', 'matches', 'isa', 'threads', 'device', 'steps', 'seed'],
    'milliseconds',
  ]);
  expect(report).toMatchObject({
    schema: 'panthalia-conformance/1',
    ...{ digest: pinnedDigests[shortSteps], matches: true, threads: 2, device: 'cpu', steps: 4, seed: 0 },
  });

  const unpinned = await runCli(['conformance', '--steps', '2', '--seed', '5', '--json']);
  expect(JSON.parse(unpinned.out[0] ?? '')).toMatchObject({ expected: null, matches: null });
  expect(unpinned.code).toBe(0);
});

test('doctor says whether this machine computes the opset to the bit', async () => {
  const { out } = await runCli(['doctor', '--json']);
  const { findings } = JSON.parse(out[0] ?? '').data;
  expect(findings.find(({ name }: { name: string }) => name === 'conformance')).toMatchObject({
    state: 'ok',
    detail: expect.stringContaining(pinnedDigests[shortSteps] as string),
  });
});

test('a worker whose digest differs stakes nothing', async () => {
  await using local = await startTestChain();
  await using run = await startToyRun(local);
  const folder = temporaryFolder();
  const deployment = join(folder, 'deployment.json');
  await writeDeployment(deployment, { ...local.deployment, sotUrl: run.sotUrl });
  const account = 7;
  const expectedDigest = pinnedDigests[steps] as `0x${string}`; // not that of the short form
  const refused = runWorker({
    ...{ deployment, expectedDigest, scratch: folder, memory: folder, opset: 'canon-f32-v1' },
    account: () => ({ mnemonicIndex: account }),
    worker: { stakeAmount: pan(100), audit: 'never' },
    machine: { device: 'cpu', threads: 1 },
    emit: () => {},
    say: () => {},
    signal: local.signal,
  });
  await expect(refused).rejects.toMatchObject({
    family: 'check',
    code: 'conformance.differs',
    details: { expected: expectedDigest, received: pinnedDigests[shortSteps] },
    next: 'panthalia conformance',
  });
  const { contracts, chain, market } = await run.contextOf(account);
  const address = developmentAddresses(account + 1)[account] as Address;
  expect(await contracts.token.read('balanceOf', [address])).toBe(pan(10_000));
  expect(await chain.provider.getTransactionCount(address)).toBe(0);
  expect([...market.view.positions.values()].filter((position) => position.account === address)).toEqual([]);
});
