/** A folder for files in flight. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storageError } from '../data/files.js';

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** At `path`, or a new temporary one; removed with all its content when the scope is left.
 *  throws error/storage.* */
export async function scratchFolder(path?: string): Promise<Scratch> {
  try {
    if (path !== undefined) await mkdir(path, { recursive: true });
    const folder = path ?? (await mkdtemp(join(tmpdir(), 'panthalia-')));
    return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  } catch (cause) {
    throw storageError(`make the folder ${path}`, cause);
  }
}
