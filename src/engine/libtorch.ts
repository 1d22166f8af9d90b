/** Which libtorch the engine is built on: LIBTORCH, an importable Python torch, our cache, or a fresh download. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { downloadLibtorch, torchRelease } from './downloadLibtorch.js';
import { type BuildOptions, runCommand } from './runCommand.js';

export interface Libtorch {
  /** holds lib/ and include/ */
  folder: string;
  /** as its headers say, `2.13.0` */
  version: string;
  source: 'LIBTORCH' | 'python' | 'cache' | 'download';
}

/** The first usable libtorch in the documented order, downloading one when there is none.
 *  throws build/libtorch.unusable, build/libtorch.download_failed */
export async function findLibtorch(options: BuildOptions): Promise<Libtorch> {
  const present = await presentLibtorch(options);
  if (present) return present;
  const folder = cachedFolder();
  await downloadLibtorch(folder, options);
  return {
    folder: join(folder, 'torch'),
    version: await libtorchVersion(join(folder, 'torch')),
    source: 'download',
  };
}

/** The same without the download: null when there is none on this machine. */
export async function presentLibtorch(options: BuildOptions): Promise<Libtorch | null> {
  const named = process.env.LIBTORCH;
  if (named) {
    const folder = resolve(named);
    return { folder, version: await libtorchVersion(folder), source: 'LIBTORCH' };
  }
  for (const [source, folder] of [
    ['python', await pythonTorchFolder(options)],
    ['cache', join(cachedFolder(), 'torch')],
  ] as const) {
    if (folder === null || !existsSync(folder)) continue;
    try {
      return { folder, version: await libtorchVersion(folder), source };
    } catch (error) {
      options.log(`libtorch: passing over ${folder}: ${(error as Error).message}`);
    }
  }
  return null;
}

/** The version of a libtorch that can be compiled against and linked.  throws build/libtorch.unusable */
export async function libtorchVersion(folder: string): Promise<string> {
  for (const file of ['lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/Context.h', versionHeader]) {
    if (!existsSync(join(folder, file))) {
      throw unusable(`The libtorch in ${folder} must hold ${file}, and it does not.`, folder);
    }
  }
  const header = await readFile(join(folder, versionHeader), 'utf8');
  const [major, minor, patch] = ['MAJOR', 'MINOR', 'PATCH'].map((part) =>
    Number(header.match(new RegExp(`#define TORCH_VERSION_${part} (\\d+)`))?.[1] ?? Number.NaN),
  ) as [number, number, number];
  // 2.11 is the oldest release whose headers the engine is compiled against.
  if (!(major > 2 || (major === 2 && minor >= 11))) {
    throw unusable(`libtorch must be 2.11 or later; ${folder} is ${major}.${minor}.${patch}.`, folder);
  }
  return `${major}.${minor}.${patch}`;
}

const versionHeader = 'include/torch/headeronly/version.h';

/** Where the installed package lies, without importing it: that alone takes seconds. */
async function pythonTorchFolder(options: BuildOptions): Promise<string | null> {
  const program =
    'import importlib.util as u, os; s = u.find_spec("torch"); print(os.path.dirname(s.origin) if s and s.origin else "")';
  const { code, stdout } = await runCommand('python3', ['-c', program], { signal: options.signal });
  return code === 0 && stdout.trim() !== '' ? stdout.trim() : null;
}

function cachedFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'panthalia', `libtorch-${torchRelease}`);
}

function unusable(message: string, folder: string): PanthaliaError {
  return new PanthaliaError('build', message, {
    code: 'libtorch.unusable',
    details: { folder },
    next: 'unset LIBTORCH to let Panthalia fetch one, or point it at a libtorch 2.11 or later',
  });
}
