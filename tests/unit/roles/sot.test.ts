import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelVersion } from '../../../src/data/versions.js';
import { canonicalJson } from '../../../src/protocol/canonicalJson.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import type { Address, Hex32 } from '../../../src/protocol/task.js';
import { addresses } from '../../helpers/sotServer.js';
import { jobId, manifest, startToySot, ToyMarket, type ToySot, theta } from '../../helpers/toySot.js';

let dir: string;
let market: ToyMarket;
let running: ToySot[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'panthalia-sotrole-'));
  market = new ToyMarket();
});
afterEach(async () => {
  for (const sot of running) await sot.stop().catch(() => {}); // Some end with the error they were tested for.
  running = [];
  await rm(dir, { recursive: true, force: true });
});
async function start(
  ...options: Parameters<typeof startToySot> extends [string, ToyMarket, ...infer R] ? R : never
) {
  const sot = await startToySot(dir, market, ...options);
  running.push(sot);
  return sot;
}

const latest = async (sot: ToySot, after = -1) =>
  (await sot.client.latestVersion({ after, waitSeconds: 10 })) as ModelVersion;
const outerSteps = (sot: ToySot) => sot.events.filter(({ type }) => type === 'outer.step');

/** Stores 1, 2, 3 and has them accepted for the three slots of the round after `base`. */
async function solveRound(sot: ToySot, base: ModelVersion): Promise<Hex32[]> {
  const taskIds = market.post(base, [0, 1, 2]);
  for (const slot of [2, 0, 1]) {
    const { blob } = await sot.client.putBytes(theta(slot + 1));
    market.accept(taskIds[slot] as Hex32, blob);
  }
  return taskIds;
}

test('a new run starts with version 0 of the seed and the manifest as a blob', async () => {
  const sot = await start();
  const version = await latest(sot);
  expect(version).toMatchObject({
    number: 0,
    jobId,
    round: null,
    parent: null,
    momentum: null,
    validationLoss: 8,
  });
  expect((await sot.client.getBytes(version.parameters, { maxBytes: 4 })).equals(theta(8))).toBe(true);
  const stored = await sot.client.getBytes(jobId, { maxBytes: 10_000 });
  expect(stored.toString()).toBe(canonicalJson(manifest));
  expect(outerSteps(sot)).toEqual([]);
});

test('a round is merged when every slot is accepted, in slot order, and not before', async () => {
  const sot = await start();
  const base = await latest(sot);
  const taskIds = market.post(base, [0, 1, 2]);
  const blobs: Hex32[] = [];
  for (const value of [1, 2, 3]) blobs.push((await sot.client.putBytes(theta(value))).blob);
  market.accept(taskIds[2] as Hex32, blobs[2] as Hex32);
  market.accept(taskIds[0] as Hex32, blobs[0] as Hex32);
  expect(await sot.client.latestVersion({ after: 0 })).toBeUndefined();
  market.accept(taskIds[1] as Hex32, blobs[1] as Hex32);
  const next = await latest(sot, 0);
  expect(next).toMatchObject({ number: 1, round: 0, parent: base.stateRoot, validationLoss: 123 });
  expect(next.contributions).toEqual(
    [0, 1, 2].map((slot) => ({ slot, taskId: taskIds[slot], resultRoot: blobs[slot] })),
  );
  expect((await sot.client.getBytes(next.parameters, { maxBytes: 4 })).equals(theta(123))).toBe(true);
  expect(outerSteps(sot)).toEqual([
    {
      type: 'outer.step',
      round: 0,
      stateRoot: next.stateRoot,
      parameters: next.parameters,
      validationLoss: 123,
    },
  ]);
});

test('after the last round it goes on serving', async () => {
  const sot = await start();
  await solveRound(sot, await latest(sot));
  await solveRound(sot, await latest(sot, 0));
  const last = await latest(sot, 1);
  expect(last).toMatchObject({ number: 2, round: 1 });
  expect(last.momentum).not.toBeNull();
  await solveRound(sot, last);
  expect(await sot.client.latestVersion({ after: 2 })).toBeUndefined();
});

test('what strangers post in the name of the job is not merged', async () => {
  const sot = await start();
  const base = await latest(sot);
  const { blob } = await sot.client.putBytes(theta(9));
  for (const changes of [
    { specHash: sha256Hex('another spec') },
    { jobId: sha256Hex('another job') },
    { subnetId: 2 }, // where its owner sets the rules and holds all the stake
  ]) {
    for (const taskId of market.post(base, [0, 1, 2], changes)) market.accept(taskId, blob);
  }
  for (const taskId of market.post({ ...base, stateRoot: sha256Hex('another base') }, [0, 1, 2])) {
    market.accept(taskId, blob);
  }
  await solveRound(sot, base);
  expect((await latest(sot, 0)).validationLoss).toBe(123);
});

test('a slot that was rejected and posted again counts with its second result', async () => {
  const sot = await start();
  const base = await latest(sot);
  const [first] = market.post(base, [0]) as [Hex32];
  market.assign(first, addresses[2] as Address);
  market.tell({ type: 'TaskRejected', taskId: first, solver: addresses[2] as Address });
  await solveRound(sot, base);
  const { contributions, validationLoss } = await latest(sot, 0);
  expect(validationLoss).toBe(123);
  expect(contributions.map(({ taskId }) => taskId)).not.toContain(first);
});

test('an accepted result that is missing is waited for, with an alert, and never left out', async () => {
  const sot = await start();
  const base = await latest(sot);
  const taskIds = market.post(base, [0, 1, 2]);
  for (const slot of [0, 1]) {
    market.accept(taskIds[slot] as Hex32, (await sot.client.putBytes(theta(slot + 1))).blob);
  }
  market.accept(taskIds[2] as Hex32, sha256Hex(theta(3)));
  await expect
    .poll(() => sot.events.filter((event) => event.type === 'alert' && event.code === 'sot.result_missing'))
    .toHaveLength(1);
  expect(await sot.client.latestVersion({ after: 0 })).toBeUndefined();
  await sot.client.putBytes(theta(3));
  expect((await latest(sot, 0)).validationLoss).toBe(123);
});

test('an accepted result of the wrong size ends the role with its name', async () => {
  const sot = await start();
  const taskIds = market.post(await latest(sot), [0, 1, 2]);
  const { blob } = await sot.client.putBytes(Buffer.from('12345'));
  for (const taskId of taskIds) market.accept(taskId, blob);
  await expect(sot.ended).rejects.toMatchObject({
    code: 'sot.wrong_result_size',
    details: { slot: 0, sizeBytes: 5, expectedBytes: 4 },
  });
});

test('a restart goes on from the journal, tells the last step again and merges nothing twice', async () => {
  const first = await start();
  await solveRound(first, await latest(first));
  const merged = await latest(first, 0);
  await first.stop();
  const second = await start();
  expect(await latest(second)).toEqual(merged);
  await expect.poll(() => outerSteps(second)).toHaveLength(1);
  await solveRound(second, merged);
  expect(await latest(second, 1)).toMatchObject({ number: 2, round: 1, parent: merged.stateRoot });
  expect((await readFile(join(dir, 'versions.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(3);
});

test('a round is merged as many blocks after its acceptance as it was told, restarts or not', async () => {
  const depth = 5;
  const passBlock = () => market.tell({ type: 'SeedFulfilled', epoch: 0, seed: jobId } as never);
  const first = await start({ depth });
  await solveRound(first, await latest(first));
  for (let block = 1; block < depth; block++) passBlock();
  expect(await first.client.latestVersion({ after: 0 })).toBeUndefined();
  const accepted = market.view.block - depth + 1;
  expect(first.events).toContainEqual({
    type: 'alert',
    level: 'info',
    code: 'sot.waiting_for_depth',
    message: `Round 0 is accepted in block ${accepted} and merged 5 blocks later, with block ${accepted + 5}; the chain is at block ${accepted}. A chain that makes no blocks by itself has to be moved, or fewer waited for: --depth.`,
  });
  await first.stop();
  const second = await start({ depth });
  expect(await second.client.latestVersion({ after: 0 })).toBeUndefined();
  passBlock();
  expect(await latest(second, 0)).toMatchObject({ number: 1, validationLoss: 123 });
});

test('a death between the new blobs and the journal gives the same version again', async () => {
  const first = await start();
  await solveRound(first, await latest(first));
  const merged = await latest(first, 0);
  await first.stop();
  const journal = join(dir, 'versions.jsonl');
  const lines = (await readFile(journal, 'utf8')).split('\n');
  await writeFile(journal, `${lines[0]}\n${lines[1]?.slice(0, 50)}`);
  const second = await start();
  expect(await latest(second, 0)).toEqual(merged);
});

test('who may write follows the chain: the buyer, stakers, and solvers that owe a result', async () => {
  const sot = await start();
  const put = (account: number) => sot.clientOf(account).putBytes(Buffer.from(`by ${account}`));
  const account = addresses[1] as Address;
  await put(0);
  await expect(put(1)).rejects.toMatchObject({ code: 'auth.not_allowed' });
  market.stake(account);
  await put(1);
  const [taskId] = market.post(await latest(sot), [0]) as [Hex32];
  market.assign(taskId, account);
  market.tell({ type: 'UnstakeRequested', subnetId: 1, role: 'solver', account, seats: 1, unlockAt: 9 });
  await put(1);
  market.tell({ type: 'TaskReopened', taskId, solver: account, attempt: 2, penalty: 0n });
  await expect(put(1)).rejects.toMatchObject({ code: 'auth.not_allowed' });
  const [elsewhere] = market.post(await latest(sot), [0], { subnetId: 2 }) as [Hex32];
  market.assign(elsewhere, account);
  await expect(put(1)).rejects.toMatchObject({ code: 'auth.not_allowed' });
  market.stake(addresses[2] as Address);
  await put(2);
  market.tell({ type: 'PositionJailed', subnetId: 1, role: 'solver', account: addresses[2] as Address });
  await expect(put(2)).rejects.toMatchObject({ code: 'auth.not_allowed' });

  // A stranger stores the state before a wrong step: its bond is at stake until it has pinned that step.
  const disputer = addresses[3] as Address;
  const commitment = sha256Hex('commitment');
  market.tell({ type: 'DisputeCommitted', commitment, disputer, bond: 4n });
  await expect(put(3)).rejects.toMatchObject({ code: 'auth.not_allowed' });
  market.tell({ type: 'DisputeCommitted', commitment: sha256Hex('dearer'), disputer, bond: 5n });
  await put(3);
});

test('a folder of another job, or one that lost a blob, is refused', async () => {
  const sot = await start();
  const { parameters } = await latest(sot);
  await sot.stop();
  const other = { ...manifest, rounds: 3 };
  await expect(start({ manifest: other })).rejects.toMatchObject({ code: 'sot.wrong_job', family: 'config' });
  const otherId = sha256Hex(canonicalJson(other));
  await expect(start({ manifest: other, jobId: otherId })).rejects.toMatchObject({ code: 'sot.wrong_job' });
  await rm(join(dir, 'blobs', parameters.slice(2, 4), parameters.slice(4)));
  await expect(start()).rejects.toMatchObject({ code: 'sot.blob_missing', family: 'check' });
});

test('a port in use is one clear error', async () => {
  const sot = await start();
  const port = sot.events.flatMap((event) =>
    event.type === 'process.ready' ? [Number(new URL(event.url as string).port)] : [],
  )[0] as number;
  const elsewhere = await mkdtemp(join(tmpdir(), 'panthalia-sotrole-'));
  await expect(startToySot(elsewhere, market, { port })).rejects.toMatchObject({ code: 'sot.port_in_use' });
  await rm(elsewhere, { recursive: true });
});
