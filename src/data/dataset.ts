/** A dataset by the hash of its manifest: nothing is trained on that the hash does not cover. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PanthaliaError } from '../errors.js';
import { batchWindows } from '../protocol/batches.js';
import { canonicalId } from '../protocol/canonicalJson.js';
import type { Hex32, TaskSpec } from '../protocol/task.js';
import { openShard, type ShardEntry, windowsInShard } from './shard.js';

export type Split = 'train' | 'val';

/** source: docs/protocol.md, datasets. Its canonical JSON's sha-256 is the dataset's id. */
export interface DatasetManifest {
  format: 'panthalia-dataset/1';
  name: string;
  tokenizer: { name: string; vocab: number; separator: number; separatorPlace: 'before' };
  source: { kind: 'npm'; packages: { name: string; version: string; integrity: string; licence: string }[] };
  shard: { layout: 'llmc-gpt2-1'; headerBytes: number; dtype: 'uint16le'; leafBytes: number };
  splits: Record<Split, ShardEntry[]>;
}

/** inputs, targets: int32 (B, T) row-major; targets[i] is the token after inputs[i] */
export interface Batch {
  inputs: Int32Array;
  targets: Int32Array;
}

export interface Dataset {
  readonly id: Hex32;
  readonly manifest: DatasetManifest;
  /** whole windows of T tokens in a split */
  windowCount(split: Split, windowTokens: number): number;
  /** The batch of one inner step.  step: 0 .. innerSteps - 1, the batch consumed to reach state step + 1
   *  throws check/batch.out_of_range */
  trainBatch(spec: BatchSpec, slot: number, step: number): Batch;
  /** `windows` windows spread evenly over the validation split, `rows` at a time; windows must be a multiple of rows.
   *  throws config/dataset.validation_windows */
  validationBatches(windows: number, rows: number, windowTokens: number): Batch[];
}

export type BatchSpec = Pick<
  TaskSpec,
  'dataset' | 'seed' | 'round' | 'slotsPerRound' | 'innerSteps' | 'batch'
>;

/** Where `npm run build` puts datasets: <package>/build/data, seen from src/data and from dist/data alike. */
export const defaultDataFolder = fileURLToPath(new URL('../../build/data/', import.meta.url));

/** Opens the dataset whose manifest has this id, among the folders of `dataFolder`.
 *  throws notFound/dataset.not_found, check/shard.* */
export async function openDataset(id: Hex32, dataFolder: string = defaultDataFolder): Promise<Dataset> {
  const { folder, manifest } = await findManifest(id, dataFolder);
  const load = (split: Split) =>
    Promise.all(
      manifest.splits[split].map((entry) =>
        openShard(join(folder, shardFileName(split, entry.id)), entry, manifest.tokenizer.vocab),
      ),
    );
  const shards = { train: await load('train'), val: await load('val') };
  return datasetOf(id, manifest, shards);
}

/** train.bin and val.bin for the first shard of a split, train.1.bin and so on after it. */
export function shardFileName(split: Split, id: number): string {
  return id === 0 ? `${split}.bin` : `${split}.${id}.bin`;
}

function datasetOf(id: Hex32, manifest: DatasetManifest, shards: Record<Split, Uint16Array[]>): Dataset {
  const windowCount = (split: Split, windowTokens: number) =>
    shards[split].reduce((sum, shard) => sum + windowsInShard(shard.length, windowTokens), 0);
  return {
    id,
    manifest,
    windowCount,
    trainBatch(spec, slot, step) {
      if (spec.dataset !== id) throw wrongDataset(spec.dataset, id);
      const { tokens } = spec.batch;
      const windows = batchWindows(spec, { slot, step, windowCount: windowCount('train', tokens) });
      return readWindows(shards.train, windows, tokens);
    },
    validationBatches(windows, rows, windowTokens) {
      const available = windowCount('val', windowTokens);
      if (windows < 1 || windows > available || windows % rows !== 0) {
        throw new PanthaliaError(
          'config',
          `Validation takes a multiple of ${rows} windows, at most ${available}; ${windows} were asked for.`,
          { code: 'dataset.validation_windows', details: { windows, rows, available } },
        );
      }
      const chosen = Array.from({ length: windows }, (_, i) => Math.floor((i * available) / windows));
      return Array.from({ length: windows / rows }, (_, batch) =>
        readWindows(shards.val, chosen.slice(batch * rows, (batch + 1) * rows), windowTokens),
      );
    },
  };
}

/** Windows never cross shards: window w of a shard starts at token w * T. */
function readWindows(shards: Uint16Array[], windows: number[], windowTokens: number): Batch {
  const inputs = new Int32Array(windows.length * windowTokens);
  const targets = new Int32Array(windows.length * windowTokens);
  for (const [row, window] of windows.entries()) {
    const { shard, first } = locate(shards, window, windowTokens);
    inputs.set(shard.subarray(first, first + windowTokens), row * windowTokens);
    targets.set(shard.subarray(first + 1, first + 1 + windowTokens), row * windowTokens);
  }
  return { inputs, targets };
}

function locate(shards: Uint16Array[], window: number, windowTokens: number) {
  let left = window;
  for (const shard of shards) {
    const count = windowsInShard(shard.length, windowTokens);
    if (left < count) return { shard, first: left * windowTokens };
    left -= count;
  }
  throw new RangeError(`window ${window} is beyond the split`);
}

async function findManifest(id: Hex32, dataFolder: string) {
  const names = (await readdir(dataFolder).catch(() => [])).filter((name) => !name.endsWith('.part'));
  for (const name of names.sort()) {
    const folder = join(dataFolder, name);
    const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => null);
    if (text === null) continue;
    const manifest = parseManifest(text);
    if (manifest && canonicalId(manifest) === id) return { folder, manifest };
  }
  // Not `config`, which ends a worker: anyone can post a task of a dataset that nobody has.
  throw new PanthaliaError('notFound', `No dataset with id ${id} lies in ${dataFolder}.`, {
    code: 'dataset.not_found',
    details: { dataset: id, dataFolder, found: names },
    next: 'npm run build',
  });
}

function parseManifest(text: string): DatasetManifest | null {
  try {
    const manifest = JSON.parse(text) as DatasetManifest;
    return manifest.format === 'panthalia-dataset/1' ? manifest : null;
  } catch {
    return null;
  }
}

function wrongDataset(expected: Hex32, received: Hex32): PanthaliaError {
  return new PanthaliaError('check', `The task wants dataset ${expected}; dataset ${received} is open.`, {
    code: 'dataset.mismatch',
    details: { expected, received },
  });
}
