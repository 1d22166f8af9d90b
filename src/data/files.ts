/** Files that are either whole or absent, and what the disk says when it can not. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PanthaliaError } from '../errors.js';

/** Makes the folder and those above it.  throws error/storage.* */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  await mkdirAll(path, mode).catch((cause) => {
    throw storageError(`make the folder ${path}`, cause);
  });
}

/** mkdir -p. Not Node's `recursive`, which never returns where the parent is there and refuses (/proc).  throws what Node throws */
export async function mkdirAll(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await mkdirAll(dirname(path), mode);
    await mkdirAll(path, mode);
  }
}

/** A rename is durable once its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Puts a finished file in its place: fsync, rename, fsync of the folder. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  const file = await open(temporary, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await mkdirAll(dirname(path));
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Writes a small file whole or not at all. */
export async function writeFileWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await makeFolder(dirname(path));
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    await publishFile(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw storageError(`write ${path}`, cause);
  }
}

const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** One sentence for a failed file operation; errors of ours pass unchanged.
 *  codes: error/storage.disk_full (ENOSPC, EDQUOT, EFBIG), error/storage.io (the rest) */
export function storageError(what: string, cause: unknown): PanthaliaError {
  if (cause instanceof PanthaliaError) return cause;
  const errno = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  if (fullDisk.has(errno)) {
    return new PanthaliaError('error', `The disk is full: could not ${what} (${errno}).`, {
      code: 'storage.disk_full',
      details: { errno },
      next: 'free some space, then start the same command again',
      cause,
    });
  }
  return new PanthaliaError('error', `Could not ${what}: ${(cause as Error).message}.`, {
    code: 'storage.io',
    details: { errno },
    next: 'choose a folder that exists and may be written, or make this one so',
    cause,
  });
}
