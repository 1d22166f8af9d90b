import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Dataset, type DatasetManifest, openDataset } from '../../../src/data/dataset.js';
import { buildEmbeddedCorpus, embeddedDatasetId } from '../../../src/data/embeddedCorpus.js';
import { encodeShard, merkleRoot, openShard, shardEntry } from '../../../src/data/shard.js';
import { batchWindows } from '../../../src/protocol/batches.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';

let dataFolder: string;
let dataset: Dataset;
beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'panthalia-data-'));
  await buildEmbeddedCorpus(dataFolder);
  dataset = await openDataset(embeddedDatasetId, dataFolder);
});
afterAll(() => rm(dataFolder, { recursive: true, force: true }));

const corpusFile = (name: string) => join(dataFolder, 'embedded-bytes-v1', name);

test('the embedded corpus is byte for byte what an independent build in Python gave', async () => {
  expect(sha256Hex(await readFile(corpusFile('train.bin')))).toBe(
    '0x5d9e4cc9acab5ce1b671d7f08d12506034ce6fda12ac4d4a5b249098050d755e',
  );
  expect(sha256Hex(await readFile(corpusFile('val.bin')))).toBe(
    '0x0ab82a32c3ed1d988182ec9cf5e0b391b0f25b93924c065855f79ee5b4b6c31a',
  );
  expect(embeddedDatasetId).toBe('0x5f33ea80bd94cf21016490fc56595d99544cbe2bebf5b60c19d3a2ed5db6f484');
});

test('a second build does nothing, a damaged one is built anew, and nothing else is left behind', async () => {
  expect((await buildEmbeddedCorpus(dataFolder)).built).toBe(false);
  await writeFile(corpusFile('val.bin'), 'short');
  expect((await buildEmbeddedCorpus(dataFolder)).built).toBe(true);
  expect(await readdir(dataFolder)).toEqual(['embedded-bytes-v1']);
});

test('every document begins with the separator and validation is the end of Moby Dick', async () => {
  const { manifest } = dataset;
  const count = async (name: string, split: 'train' | 'val') => {
    const tokens = await openShard(corpusFile(name), manifest.splits[split][0] as never, 256);
    return { documents: tokens.filter((token) => token === 0).length, tokens };
  };
  const [train, val] = [await count('train.bin', 'train'), await count('val.bin', 'val')];
  expect([train.documents, val.documents]).toEqual([351, 18]);
  expect([train.tokens[0], val.tokens[0]]).toEqual([0, 0]);
  expect(Buffer.from(val.tokens).toString('latin1')).toContain('I ONLY AM ESCAPED ALONE TO TELL THEE');
});

const spec = {
  dataset: embeddedDatasetId,
  seed: sha256Hex('run'),
  round: 1,
  slotsPerRound: 4,
  innerSteps: 10,
  batch: { rows: 3, tokens: 64 },
};

test('a batch is the windows of the permutation, targets one token later', async () => {
  const { inputs, targets } = dataset.trainBatch(spec, 2, 7);
  const file = await readFile(corpusFile('train.bin'));
  const windows = batchWindows(spec, { slot: 2, step: 7, windowCount: dataset.windowCount('train', 64) });
  for (const [row, window] of windows.entries()) {
    const tokens = Array.from({ length: 65 }, (_, i) => file.readUInt16LE(1024 + 2 * (window * 64 + i)));
    expect([...inputs.subarray(row * 64, row * 64 + 64)]).toEqual(tokens.slice(0, 64));
    expect([...targets.subarray(row * 64, row * 64 + 64)]).toEqual(tokens.slice(1));
  }
});

test('validation windows are spread over the split and do not depend on the rows', async () => {
  const join = (rows: number) => dataset.validationBatches(12, rows, 64).flatMap(({ inputs }) => [...inputs]);
  expect(join(4)).toEqual(join(3));
  const all = dataset.windowCount('val', 64);
  expect(dataset.validationBatches(all, 1, 64)).toHaveLength(all);
  for (const [windows, rows] of [
    [7, 3],
    [0, 1],
    [all + 1, 1],
  ] as const) {
    expect(() => dataset.validationBatches(windows, rows, 64)).toThrow(
      expect.objectContaining({ code: 'dataset.validation_windows' }),
    );
  }
});

test('a task of another dataset gets no batch', async () => {
  expect(() => dataset.trainBatch({ ...spec, dataset: sha256Hex('other') }, 0, 0)).toThrow(
    expect.objectContaining({ code: 'dataset.mismatch' }),
  );
});

test('a dataset that is not there is one sentence with the next command', async () => {
  await expect(openDataset(sha256Hex('none'), dataFolder)).rejects.toMatchObject({
    code: 'dataset.not_found',
    family: 'notFound',
    next: 'npm run build',
  });
});

test('a manifest that was changed has another id', async () => {
  const changed = await mkdtemp(join(tmpdir(), 'panthalia-data-'));
  const manifest = JSON.parse(await readFile(corpusFile('manifest.json'), 'utf8')) as DatasetManifest;
  await mkdir(join(changed, 'copy'));
  await writeFile(join(changed, 'copy', 'manifest.json'), JSON.stringify({ ...manifest, name: 'other' }));
  await expect(openDataset(embeddedDatasetId, changed)).rejects.toMatchObject({ code: 'dataset.not_found' });
  await rm(changed, { recursive: true });
});

test.each([
  ['shard.magic', (file: Buffer) => file.writeInt32LE(20240522, 0)],
  ['shard.version', (file: Buffer) => file.writeInt32LE(2, 4)],
  ['shard.size', (file: Buffer) => file.writeInt32LE(4, 8)],
  ['shard.hash', (file: Buffer) => file.writeUInt16LE(9, 1024)],
])('%s: a damaged shard is refused', async (code, damage) => {
  const file = encodeShard(Uint16Array.of(0, 7, 255));
  const entry = shardEntry(0, file);
  damage(file);
  const path = join(dataFolder, `${code}.bin`);
  await writeFile(path, file);
  await expect(openShard(path, entry, 256)).rejects.toMatchObject({ code, family: 'check' });
});

test('a shard that is cut off or holds tokens beyond the vocabulary is refused', async () => {
  const file = encodeShard(Uint16Array.of(0, 7, 256));
  const path = join(dataFolder, 'other.bin');
  await writeFile(path, file);
  await expect(openShard(path, shardEntry(0, file), 256)).rejects.toMatchObject({ code: 'shard.token' });
  await writeFile(path, file.subarray(0, -1));
  await expect(openShard(path, shardEntry(0, file), 257)).rejects.toMatchObject({ code: 'shard.size' });
});

test('the Merkle root of a shard: an odd node goes up unchanged', () => {
  const leaves = ['a', 'b', 'c'].map((letter) => Buffer.alloc(65_536, letter));
  const hash = (prefix: number, ...parts: Buffer[]) =>
    Buffer.from(sha256Hex(Buffer.concat([Buffer.of(prefix), ...parts])).slice(2), 'hex');
  const [a, b, c] = leaves.map((leaf) => hash(0, leaf)) as [Buffer, Buffer, Buffer];
  expect(merkleRoot(Buffer.concat(leaves))).toBe(`0x${hash(1, hash(1, a, b), c).toString('hex')}`);
});
