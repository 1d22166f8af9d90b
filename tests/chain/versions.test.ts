/** The owner of a subnet adds a version of its parameters: who is staked hears of it while there is time to leave. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStatus, type Status } from '../../src/actions/readStatus.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { localParams, noTaskChecked } from '../../src/chain/params.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { startTestChain, type TestChain } from '../helpers/chain.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';
import { firstWorker, startToyRun } from '../helpers/toyRun.js';

async function fileOf({ deployment }: TestChain): Promise<string> {
  const file = join(temporaryFolder(), 'deployment.json');
  await writeDeployment(file, deployment);
  return file;
}

async function subnetNow(local: TestChain): Promise<Status['subnet']> {
  const deployment = await fileOf(local);
  return (await readStatus({ deployment, emit: () => {}, signal: local.signal })).subnet;
}

test('a version that is to come is told to workers that are there and to those that start, and stands in the status until it is in force', async () => {
  await using local = await startTestChain();
  await using run = await startToyRun(local);
  const { deployer, deployment, signal } = local;
  const { provider } = deployer;
  const { registry, beacon } = connectContracts(deployer, deployment);
  const { subnetId } = deployment;
  let hear = () => {};
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const isNews = (event: PanthaliaEvent) => event.type === 'alert' && event.code === 'subnet.new_version';
  const early = await run.worker(firstWorker, { onEvent: (event) => isNews(event) && hear() });
  expect(await subnetNow(local)).toMatchObject({ version: 1, coming: null });

  // Epochs do not end while somebody looks.
  await provider.send('evm_setIntervalMining', [0]);
  await provider.send('evm_setAutomine', [true]);
  await registry.write(
    'addParams',
    [subnetId, localParams({ ...noTaskChecked, challengeSeconds: 7 })],
    signal,
  );
  await heard;
  const late = await run.worker(firstWorker + 1, { stakeAmount: 0n, audit: 'never' });
  const length = Number(await beacon.read('epochLength', []));
  const from = Math.floor((await provider.getBlockNumber()) / length) + 2;
  const sentence = `version 2 of subnet ${subnetId} comes into force at epoch ${from}; tasks posted until then keep version 1; who does not want to work under it asks for the stake back before: panthalia unstake`;
  for (const { events } of [early, late]) {
    expect(events.filter(isNews)).toEqual([
      { type: 'alert', level: 'warn', message: sentence, code: 'subnet.new_version' },
    ]);
  }
  expect(await subnetNow(local)).toMatchObject({
    version: 1,
    coming: { version: 2, epoch: from, block: from * length },
  });
  const page = (await runCli(['status', '--deployment', await fileOf(local)])).out.join('\n');
  expect(page).toContain(`subnet   ${subnetId} open, parameters of version 1`);
  expect(page).toContain(`version 2 comes into force at epoch ${from}, in block ${from * length};`);

  while ((await provider.getBlockNumber()) + 1 < from * length) {
    expect(await registry.read('currentVersion', [subnetId])).toBe(1);
    expect((await subnetNow(local)).version).toBe(1);
    await provider.send('evm_mine', []);
  }
  expect(await subnetNow(local)).toMatchObject({ version: 2, coming: null });
  await provider.send('evm_mine', []);
  expect(await registry.read('currentVersion', [subnetId])).toBe(2);
});
