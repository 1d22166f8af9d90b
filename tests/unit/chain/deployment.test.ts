import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  checkWritable,
  type Deployment,
  readDeployment,
  writeDeployment,
} from '../../../src/chain/deployment.js';

const address = '0x5FbDB2315678afecb367f032d93F642f64180aa3' as const;
const deployment: Deployment = {
  schema: 'panthalia-deployment/1',
  chainId: 31337,
  rpcUrl: 'http://127.0.0.1:8545',
  sotUrl: null,
  block: 3,
  subnetId: 1,
  contracts: {
    token: address,
    vault: address,
    registry: address,
    staking: address,
    beacon: address,
    market: address,
    court: address,
    challenge: address,
    audit: address,
    reputation: address,
    states: address,
    lens: address,
  },
};

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-deployment-'));
  path = join(folder, 'deployment.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what was written is read back, and no temporary file stays', async () => {
  await writeDeployment(path, deployment);
  expect(await readDeployment(path)).toEqual(deployment);
  await writeDeployment(path, { ...deployment, sotUrl: 'http://127.0.0.1:9000' });
  expect((await readDeployment(path)).sotUrl).toBe('http://127.0.0.1:9000');
  expect(await readdir(folder)).toEqual(['deployment.json']);
});

test('addresses are read in any case and come out checksummed', async () => {
  const text = JSON.stringify(deployment).replaceAll(address, address.toLowerCase());
  await writeFile(path, text);
  expect((await readDeployment(path)).contracts.market).toBe(address);
  expect(await readFile(path, 'utf8')).toContain(address.toLowerCase());
});

test.each([
  ['no JSON', 'not json', 'it is not JSON'],
  ['another schema', JSON.stringify({ ...deployment, schema: 'x' }), 'at schema:'],
  ['a missing contract', JSON.stringify({ ...deployment, contracts: {} }), 'at contracts.token:'],
  [
    'a bad address',
    JSON.stringify(deployment).replace(address, '0x12'),
    'at contracts.token: expected an address',
  ],
  ['an unknown key', JSON.stringify({ ...deployment, chainID: 1 }), 'Unrecognized key'],
])('%s is refused with the place and the reason', async (_, text, reason) => {
  await writeFile(path, text);
  const error = await readDeployment(path).catch((cause) => cause);
  expect(error).toMatchObject({ family: 'config', code: 'deployment.invalid', exitCode: 3 });
  expect(error.message).toContain(path);
  expect(error.message).toContain(reason);
});

test('a file that is not there is told by name', async () => {
  await expect(readDeployment(path)).rejects.toMatchObject({ code: 'deployment.unreadable' });
});

test('a place that can not be written is told before anything is deployed, and nothing half-written stays', async () => {
  const nowhere = join(path, 'nowhere', 'deployment.json');
  const unwritable = {
    family: 'config',
    code: 'deployment.unwritable',
    details: { path: nowhere, reason: 'ENOENT' },
  };
  await expect(checkWritable(nowhere)).rejects.toMatchObject(unwritable);
  await expect(writeDeployment(nowhere, deployment)).rejects.toMatchObject(unwritable);
  for (const there of [folder, '/dev/full']) {
    await expect(checkWritable(there)).rejects.toMatchObject({
      code: 'deployment.unwritable',
      message: `The deployment file ${there} can not be written (it is there and is no plain file).`,
    });
  }
  // A folder in its place: the last step fails, when the file is written already.
  await mkdir(path);
  await expect(writeDeployment(path, deployment)).rejects.toMatchObject({ code: 'deployment.unwritable' });
  expect(await readdir(folder)).toEqual(['deployment.json']);
});
