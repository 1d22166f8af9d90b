/** One process per folder: two Sources of Truth over one journal would merge a round twice. */
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { makeFolder, storageError } from './files.js';

/** Writes <dir>/lock with this process's id. A lock of a dead process is taken over. Returns the unlock.
 *  throws config/storage.in_use, error/storage.* */
export async function lockFolder(dir: string): Promise<() => Promise<void>> {
  await makeFolder(dir);
  const path = join(dir, 'lock');
  const own = `${path}.${process.pid}`;
  await writeFile(own, String(process.pid)).catch((cause) => {
    throw storageError(`write ${own}`, cause);
  });
  try {
    // link is atomic and brings the content along: nobody can read a lock without an owner.
    while (!(await linked(own, path))) await removeStale(dir, path);
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(path, { force: true });
}

async function linked(own: string, path: string): Promise<boolean> {
  return link(own, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

async function removeStale(dir: string, path: string): Promise<void> {
  const owner = Number(await readFile(path, 'utf8').catch(() => ''));
  if (Number.isInteger(owner) && owner > 0 && isAlive(owner)) {
    throw new PanthaliaError('config', `The folder ${dir} is in use by process ${owner}.`, {
      code: 'storage.in_use',
      details: { dir, owner },
      next: `stop process ${owner}; if it is no Source of Truth, delete ${path}`,
    });
  }
  await rm(path, { force: true });
}

function isAlive(pid: number): boolean {
  // Ourselves: in a container the process that died had our id.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
