/** A folder for files in flight. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mkdirAll, storageError } from '../data/files.js';

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** A new one below `parent`; removed with all its content when the scope is left. `parent` is the user's and stays.
 *  throws error/storage.* */
export async function scratchFolder(parent = tmpdir()): Promise<Scratch> {
  try {
    await mkdirAll(parent);
    const path = await mkdtemp(join(resolve(parent), 'panthalia-'));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    throw storageError(`make a folder in ${parent}`, cause);
  }
}
