/** The journal of model versions: one JSON line each, on disk before anyone hears of it. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PanthaliaError } from '../errors.js';
import type { Hex32 } from '../protocol/task.js';
import { storageError, syncFolder } from './files.js';

/** A state of the model that rounds can start from. Version n is the base of round n. */
export interface ModelVersion {
  number: number;
  /** id of the run manifest */
  jobId: Hex32;
  /** the round whose results made it; null for version 0 */
  round: number | null;
  /** state root of (theta, 0, 0) */
  stateRoot: Hex32;
  /** blob of theta: little-endian fp32, manifest order */
  parameters: Hex32;
  /** blob of the outer momentum; null for version 0, where it is zero */
  momentum: Hex32 | null;
  /** state root of the version before; null for version 0 */
  parent: Hex32 | null;
  /** what was merged, in slot order */
  contributions: { slot: number; taskId: Hex32; resultRoot: Hex32 }[];
  /** nats per token over the held-out windows */
  validationLoss: number;
}

/** Owns one append-only file. */
export class VersionJournal implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #versions: ModelVersion[];
  readonly #listeners = new Set<() => void>();
  #sizeBytes: number;
  #writing = false;

  private constructor(file: FileHandle, versions: ModelVersion[], sizeBytes: number) {
    this.#file = file;
    this.#versions = versions;
    this.#sizeBytes = sizeBytes;
  }

  /** Opens or creates. A torn last line (the process died while writing it) is cut off; damage anywhere else is refused.
   *  throws check/versions.corrupt */
  static async open(path: string): Promise<VersionJournal> {
    const file = await open(path, 'a+');
    try {
      const { versions, wholeBytes } = readJournal(await readFile(path), path);
      await file.truncate(wholeBytes);
      await file.sync();
      await syncFolder(dirname(path));
      return new VersionJournal(file, versions, wholeBytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get latest(): ModelVersion | undefined {
    return this.#versions.at(-1);
  }

  get(number: number): ModelVersion | undefined {
    return this.#versions[number];
  }

  /** Durable when it resolves. The number and the parent must follow the last version, so nothing is published twice.
   *  throws check/versions.out_of_order */
  async append(version: ModelVersion): Promise<void> {
    const wrong = breakOfChain(this.latest, version);
    if (wrong !== null || this.#writing) {
      throw new PanthaliaError(
        'check',
        `Version ${version.number} can not be published: ${wrong ?? 'another one is being written'}.`,
        {
          code: 'versions.out_of_order',
          details: { number: version.number, latest: this.latest?.number ?? null },
        },
      );
    }
    this.#writing = true;
    try {
      await this.#write(Buffer.from(`${JSON.stringify(version)}\n`));
      this.#versions.push(version);
    } finally {
      this.#writing = false;
    }
    for (const listener of this.#listeners) listener();
  }

  async #write(line: Buffer): Promise<void> {
    try {
      await this.#file.appendFile(line);
      await this.#file.sync();
      this.#sizeBytes += line.length;
    } catch (cause) {
      // Half a line must not stay: the next one would be glued to it.
      await this.#file.truncate(this.#sizeBytes);
      throw storageError('write a version to the journal', cause);
    }
  }

  /** The latest version as soon as its number is above `after`; undefined when `signal` aborts first. */
  async waitAbove(after: number, signal: AbortSignal): Promise<ModelVersion | undefined> {
    const isAbove = () => (this.latest?.number ?? -1) > after;
    if (!isAbove() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#listeners.delete(listener);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const listener = () => {
          if (isAbove()) done();
        };
        this.#listeners.add(listener);
        signal.addEventListener('abort', done, { once: true });
      });
    }
    return isAbove() ? this.latest : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function readJournal(bytes: Buffer, path: string): { versions: ModelVersion[]; wholeBytes: number } {
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1);
  const versions: ModelVersion[] = [];
  for (const [index, line] of lines.entries()) {
    const version = parseVersion(line);
    const wrong = version === null ? 'it is not JSON' : breakOfChain(versions.at(-1), version);
    if (version === null || wrong !== null) {
      throw new PanthaliaError('check', `Line ${index + 1} of the journal ${path} is damaged: ${wrong}.`, {
        code: 'versions.corrupt',
        details: { path, line: index + 1 },
        next: 'restore the file from a copy, or start the run again in a new directory',
      });
    }
    versions.push(version);
  }
  return { versions, wholeBytes };
}

function parseVersion(line: string): ModelVersion | null {
  try {
    return JSON.parse(line) as ModelVersion;
  } catch {
    return null;
  }
}

/** Why `next` can not stand after `last`, or null. */
function breakOfChain(last: ModelVersion | undefined, next: ModelVersion): string | null {
  const number = (last?.number ?? -1) + 1;
  if (next.number !== number) return `version ${number} was expected, ${next.number} received`;
  const parent = last?.stateRoot ?? null;
  if (next.parent !== parent) return `its parent must be ${parent}, it is ${next.parent}`;
  if (last && next.jobId !== last.jobId)
    return `the journal belongs to job ${last.jobId}, it to ${next.jobId}`;
  return null;
}
