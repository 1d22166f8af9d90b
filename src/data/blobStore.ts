/** Content-addressed files: <dir>/blobs/ab/cdef…, each whole, right and on disk, or absent.
 *  Beside each stands <dir>/records/ab/cdef….json with its parts and who brought it. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { type BlobDescription, describeFile, isBlobId } from './blobParts.js';
import { makeFolder, publishFile, storageError, writeFileWhole } from './files.js';
import { lockFolder } from './folderLock.js';

export interface BlobRecord extends BlobDescription {
  /** null: the Source of Truth itself */
  uploader: Address | null;
}

/** Owns a folder: one process at a time. */
export class BlobStore implements AsyncDisposable {
  readonly dir: string;
  readonly #unlock: () => Promise<void>;
  readonly #published = new EventEmitter().setMaxListeners(0);

  private constructor(dir: string, unlock: () => Promise<void>) {
    this.dir = dir;
    this.#unlock = unlock;
  }

  /** Creates the folder or takes over what an earlier process left, which may have died at any moment.
   *  throws config/storage.in_use, error/storage.* */
  static async open(dir: string): Promise<BlobStore> {
    const unlock = await lockFolder(dir);
    await rm(join(dir, 'tmp'), { recursive: true, force: true });
    for (const folder of ['tmp', 'blobs', 'records', 'uploads']) await makeFolder(join(dir, folder));
    return new BlobStore(dir, unlock);
  }

  /** Only a whole id makes a path, so no request can name a file outside.  throws check/blob.bad_id */
  pathOf(blob: Hex32): string {
    return this.#path('blobs', blob, '');
  }

  /** A path for a file that will be adopted, or thrown away at the next start. */
  temporaryPath(): string {
    return join(this.dir, 'tmp', randomUUID());
  }

  async sizeOf(blob: Hex32): Promise<number | undefined> {
    return stat(this.pathOf(blob)).then(({ size }) => size, absentAs(undefined));
  }

  /** throws check/storage.damaged_record */
  async record(blob: Hex32): Promise<BlobRecord | undefined> {
    if ((await this.sizeOf(blob)) === undefined) return undefined;
    const path = this.#path('records', blob, '.json');
    const text = await readFile(path, 'utf8');
    try {
      return JSON.parse(text) as BlobRecord;
    } catch (cause) {
      throw new PanthaliaError('check', `${path} is damaged: it is no record of a blob.`, {
        code: 'storage.damaged_record',
        details: { path, blob },
        next: `delete it and ${this.pathOf(blob)}: whoever has that blob stores it again`,
        cause,
      });
    }
  }

  /** Takes a finished file of this process into the store; it is gone from `path` afterwards. */
  async adoptFile(path: string): Promise<BlobDescription> {
    const description = await describeFile(path);
    await this.publish(path, { ...description, uploader: null });
    return description;
  }

  async putBytes(bytes: Uint8Array): Promise<BlobDescription> {
    const path = this.temporaryPath();
    await writeFileWhole(path, bytes);
    return this.adoptFile(path);
  }

  /** Publishes a file whose content the caller has verified against `record`. The record goes first: a record without a
   *  blob is dropped at the next start, a blob without a record could not be served in parts. */
  async publish(path: string, record: BlobRecord): Promise<void> {
    try {
      if ((await this.sizeOf(record.blob)) !== undefined) return await rm(path);
      await writeFileWhole(this.#path('records', record.blob, '.json'), JSON.stringify(record));
      await publishFile(path, this.pathOf(record.blob));
      this.#published.emit(record.blob);
    } catch (cause) {
      await rm(path, { force: true });
      throw storageError(`store blob ${record.blob}`, cause);
    }
  }

  /** Resolves when the blob is stored; rejects with the signal's reason. */
  async waitFor(blob: Hex32, signal: AbortSignal): Promise<void> {
    const heard = new AbortController();
    const published = once(this.#published, blob, { signal: AbortSignal.any([signal, heard.signal]) });
    published.catch(() => {}); // Abandoned when the blob is there already.
    try {
      // Listening began before looking, so a blob that comes in between is not missed.
      if ((await this.sizeOf(blob)) === undefined) await published;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      heard.abort();
    }
  }

  /** All records whose blob is there; the others, left by a death between the two writes, are removed. */
  async records(): Promise<BlobRecord[]> {
    const records: BlobRecord[] = [];
    for (const folder of await readdir(join(this.dir, 'records'))) {
      for (const file of await readdir(join(this.dir, 'records', folder))) {
        const record = await this.#recordOfFile(`0x${folder}${file.slice(0, -'.json'.length)}`);
        if (record) records.push(record);
        else await rm(join(this.dir, 'records', folder, file), { force: true });
      }
    }
    return records;
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.dir);
    return bavail * bsize;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unlock();
  }

  async #recordOfFile(blob: string): Promise<BlobRecord | undefined> {
    return isBlobId(blob) ? this.record(blob) : undefined;
  }

  #path(folder: string, blob: Hex32, ending: string): string {
    if (!isBlobId(blob)) {
      throw new PanthaliaError('check', `A blob id is 0x and 64 lower-case hex digits; received ${blob}.`, {
        code: 'blob.bad_id',
        details: { blob },
      });
    }
    return join(this.dir, folder, blob.slice(2, 4), `${blob.slice(4)}${ending}`);
  }
}

function absentAs<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
