/** Uploads in progress. Everything here can be read back from disk after a kill -9: the announcement is a file, and which
 *  parts are there is found by hashing them. */
import { createHash } from 'node:crypto';
import { access, type FileHandle, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import type { Address, Hex32 } from '../protocol/task.js';
import {
  type BlobDescription,
  hashFile,
  parseAnnouncement,
  partLength,
  partSizeBytes,
  type UploadAnnouncement,
  uploadId,
} from './blobParts.js';
import type { BlobStore } from './blobStore.js';
import { storageError } from './files.js';
import { UploadBudget } from './uploadBudget.js';

export interface UploadLimits {
  /** what one account may store over the life of the store, announced and not yet stored included */
  budgetBytes: number;
  maxBlobBytes: number;
  /** an upload that nobody touches for this long is forgotten, its bytes freed */
  idleMs: number;
}

export const defaultUploadLimits: UploadLimits = {
  budgetBytes: 64 * 1024 ** 3,
  maxBlobBytes: 8 * 1024 ** 3,
  idleMs: 15 * 60_000,
};

interface Upload {
  id: Hex32;
  uploader: Address;
  announcement: UploadAnnouncement;
  stored: Set<number>;
  touchedMs: number;
  /** the announcement is on disk */
  ready: Promise<void>;
  committing: Promise<BlobDescription> | null;
}

export class Uploads {
  readonly #store: BlobStore;
  readonly #limits: UploadLimits;
  readonly #nowMs: () => number;
  readonly #live = new Map<Hex32, Upload>();
  /** by upload id: so that a commit whose answer was lost can be repeated */
  readonly #finished = new Map<Hex32, BlobDescription>();
  readonly #budget: UploadBudget;

  private constructor(store: BlobStore, limits: UploadLimits, nowMs: () => number) {
    this.#store = store;
    this.#limits = limits;
    this.#budget = new UploadBudget(limits.budgetBytes);
    this.#nowMs = nowMs;
  }

  /** Finds finished and unfinished uploads in the store. */
  static async open(
    store: BlobStore,
    limits: UploadLimits = defaultUploadLimits,
    nowMs: () => number = Date.now,
  ): Promise<Uploads> {
    const uploads = new Uploads(store, limits, nowMs);
    for (const record of await store.records()) {
      if (record.uploader) uploads.#finish(record, record.uploader);
    }
    for (const folder of await readdir(join(store.dir, 'uploads'))) await uploads.#takeUp(folder);
    return uploads;
  }

  /** Reserves the bytes of a blob, or finds the upload that is already under way.
   *  throws check/upload.malformed, network/upload.budget, error/storage.disk_full */
  async announce(value: unknown, uploader: Address) {
    await this.#forgetIdle();
    const announcement = parseAnnouncement(value, this.#limits.maxBlobBytes);
    const id = uploadId(announcement);
    const stored = (await this.#store.sizeOf(announcement.blob)) !== undefined;
    const isNew = !stored && !this.#live.has(id);
    const freeBytes = isNew ? await this.#store.freeBytes() : 0;
    // From here to #begin nothing is awaited, so two announcements can not both take the last bytes of a budget.
    if (isNew && !this.#live.has(id)) {
      checkFree(announcement.sizeBytes, freeBytes);
      this.#budget.charge(uploader, announcement.sizeBytes);
      this.#begin(id, announcement, uploader);
    }
    const live = this.#live.get(id);
    if (live) live.touchedMs = this.#nowMs();
    await live?.ready;
    const missing = stored ? [] : this.missing(id);
    return { upload: id, missing, stored, budgetLeftBytes: this.#budget.left(uploader) };
  }

  /** throws notFound/upload.not_found */
  missing(id: Hex32): number[] {
    if (this.#finished.has(id)) return [];
    const { announcement, stored } = this.#find(id);
    return announcement.parts.map((_, index) => index).filter((index) => !stored.has(index));
  }

  /** Bytes and hash a part must have.  throws notFound/upload.not_found, upload.part_not_found */
  expectedPart(id: Hex32, index: number): { length: number; sha256: Hex32 } {
    const { sizeBytes, parts } = this.#finished.get(id) ?? this.#find(id).announcement;
    const sha256 = parts[index];
    if (sha256 === undefined) {
      throw new PanthaliaError(
        'notFound',
        `The upload has ${parts.length} parts; ${index} is none of them.`,
        {
          code: 'upload.part_not_found',
          details: { upload: id, index, parts: parts.length },
        },
      );
    }
    return { length: partLength(sizeBytes, index), sha256 };
  }

  /** Writes one part at its place, after verifying it. A part that is there already is left alone.
   *  throws check/upload.wrong_part, error/storage.disk_full (the upload is then forgotten, to free the disk) */
  async writePart(id: Hex32, index: number, bytes: Uint8Array): Promise<void> {
    const expected = this.expectedPart(id, index);
    // The uploader chose the hash too: only the length keeps 8 MiB from being announced, and charged, as one byte.
    if (bytes.length !== expected.length) {
      throw new PanthaliaError(
        'check',
        `Part ${index} must have ${expected.length} bytes; the body has ${bytes.length}.`,
        { code: 'upload.wrong_part', details: { upload: id, index, expected: expected.length } },
      );
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (`0x${sha256}` !== expected.sha256) {
      throw new PanthaliaError(
        'check',
        `Part ${index} must have sha-256 ${expected.sha256}; the body has 0x${sha256}.`,
        { code: 'upload.wrong_part', details: { upload: id, index, expected: expected.sha256 } },
      );
    }
    if (this.#finished.has(id)) return;
    const upload = this.#find(id);
    upload.touchedMs = this.#nowMs();
    if (upload.stored.has(index)) return;
    await this.#freeOnFailure(upload, `write part ${index} of upload ${id}`, async () => {
      await upload.ready;
      const file = await open(this.#contentPath(id), 'r+');
      try {
        await writeAt(file, bytes, index * partSizeBytes);
      } finally {
        await file.close();
      }
    });
    upload.stored.add(index);
  }

  /** Verifies the whole and publishes it. May be repeated.
   *  throws network/upload.incomplete, check/upload.wrong_blob, error/storage.* */
  async commit(id: Hex32): Promise<BlobDescription> {
    const finished = this.#finished.get(id);
    if (finished) return finished;
    const upload = this.#find(id);
    upload.touchedMs = this.#nowMs();
    upload.committing ??= this.#commitOnce(upload).finally(() => {
      upload.committing = null;
    });
    return upload.committing;
  }

  async #commitOnce(upload: Upload): Promise<BlobDescription> {
    const { id, announcement, uploader } = upload;
    const missing = this.missing(id);
    if (missing.length > 0) {
      throw new PanthaliaError('network', `${missing.length} parts of the upload are missing.`, {
        code: 'upload.incomplete',
        details: { upload: id, missing },
      });
    }
    await upload.ready;
    const content = this.#contentPath(id);
    const blob = await hashFile(content);
    if (blob !== announcement.blob) {
      await this.#forget(upload);
      throw new PanthaliaError('check', `The parts make blob ${blob}; ${announcement.blob} was announced.`, {
        code: 'upload.wrong_blob',
        details: { announced: announcement.blob, received: blob },
      });
    }
    const description: BlobDescription = {
      blob,
      sizeBytes: announcement.sizeBytes,
      parts: announcement.parts,
    };
    await this.#freeOnFailure(upload, `store blob ${blob}`, () =>
      this.#store.publish(content, { ...description, uploader }),
    );
    this.#live.delete(id);
    this.#finished.set(id, description); // its bytes were charged when it was announced
    await rm(this.#folder(id), { recursive: true, force: true });
    return description;
  }

  #begin(id: Hex32, announcement: UploadAnnouncement, uploader: Address): void {
    const upload: Upload = {
      id,
      uploader,
      announcement,
      stored: new Set(),
      touchedMs: this.#nowMs(),
      ready: Promise.resolve(),
      committing: null,
    };
    this.#live.set(id, upload);
    upload.ready = this.#freeOnFailure(upload, `begin upload ${id}`, async () => {
      // No fsync: an upload need outlive the process, not the machine, and a torn announcement is cleared away.
      await mkdir(this.#folder(id), { recursive: true });
      await writeFile(this.#contentPath(id), '');
      await writeFile(this.#announcementPath(id), JSON.stringify({ announcement, uploader }));
    });
    upload.ready.catch(() => {}); // Whoever awaits it gets the error; the upload is forgotten by then.
  }

  /** An unfinished upload of an earlier process: goes on if its files are there and whole, is removed otherwise. */
  async #takeUp(folder: string): Promise<void> {
    const left = await this.#readLeft(folder as Hex32).catch(() => null);
    const isWanted = left !== null && (await this.#store.sizeOf(left.announcement.blob)) === undefined;
    if (!isWanted || uploadId(left.announcement) !== folder) {
      return rm(join(this.#store.dir, 'uploads', folder), { recursive: true, force: true });
    }
    const { announcement, uploader } = left;
    this.#live.set(folder as Hex32, {
      id: folder as Hex32,
      uploader,
      announcement,
      stored: await storedParts(this.#contentPath(folder as Hex32), announcement),
      touchedMs: this.#nowMs(),
      ready: Promise.resolve(),
      committing: null,
    });
    this.#budget.note(uploader, announcement.sizeBytes);
  }

  /** Fails for a folder whose making or removal was cut short: either file may be missing. */
  async #readLeft(id: Hex32): Promise<{ announcement: UploadAnnouncement; uploader: Address }> {
    await access(this.#contentPath(id));
    return JSON.parse(await readFile(this.#announcementPath(id), 'utf8'));
  }

  #finish(description: BlobDescription, uploader: Address): void {
    this.#finished.set(uploadId({ ...description, partSizeBytes }), description);
    this.#budget.note(uploader, description.sizeBytes);
  }

  async #forgetIdle(): Promise<void> {
    const oldest = this.#nowMs() - this.#limits.idleMs;
    for (const upload of [...this.#live.values()]) {
      if (upload.touchedMs < oldest && !upload.committing) await this.#forget(upload);
    }
  }

  async #forget(upload: Upload): Promise<void> {
    if (!this.#live.delete(upload.id)) return;
    this.#budget.release(upload.uploader, upload.announcement.sizeBytes);
    await rm(this.#folder(upload.id), { recursive: true, force: true });
  }

  /** A disk that is full stays full while torn uploads lie on it. */
  async #freeOnFailure(upload: Upload, what: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      await this.#forget(upload);
      throw storageError(what, cause);
    }
  }

  #find(id: Hex32): Upload {
    const upload = this.#live.get(id);
    if (upload) return upload;
    throw new PanthaliaError('notFound', `There is no upload ${id}; it may have been idle for too long.`, {
      code: 'upload.not_found',
      details: { upload: id },
    });
  }

  #folder(id: Hex32): string {
    return join(this.#store.dir, 'uploads', id);
  }

  #contentPath(id: Hex32): string {
    return join(this.#folder(id), 'content');
  }

  #announcementPath(id: Hex32): string {
    return join(this.#folder(id), 'announcement.json');
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

async function storedParts(path: string, { sizeBytes, parts }: UploadAnnouncement): Promise<Set<number>> {
  const stored = new Set<number>();
  const part = Buffer.allocUnsafe(partSizeBytes);
  const file = await open(path, 'r');
  try {
    for (const [index, sha256] of parts.entries()) {
      const length = partLength(sizeBytes, index);
      const { bytesRead } = await file.read(part, 0, length, index * partSizeBytes);
      const digest = createHash('sha256').update(part.subarray(0, bytesRead)).digest('hex');
      if (`0x${digest}` === sha256) stored.add(index);
    }
  } finally {
    await file.close();
  }
  return stored;
}

function checkFree(sizeBytes: number, freeBytes: number): void {
  if (sizeBytes <= freeBytes) return;
  throw new PanthaliaError('error', `The disk is full: ${sizeBytes} bytes announced, ${freeBytes} free.`, {
    code: 'storage.disk_full',
    details: { sizeBytes, freeBytes },
    next: 'free some space, then start the same command again',
  });
}
