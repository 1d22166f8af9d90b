/** The only place where native code enters the process. Loading libtorch takes 0.3 s and 150 MB, so it happens on first use. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PanthaliaError } from '../errors.js';
import type * as Addon from './addon.d.ts';
import { libtorchVersion } from './libtorch.js';
import { runCommand } from './runCommand.js';

export type NativeAddon = typeof Addon;

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
export const buildFolder = join(projectRoot, 'build');
export const stampPath = join(buildFolder, 'engine.json');

/** What a finished build says about itself; written last, so it never names a half-built addon. */
export interface BuildStamp {
  /** file name in build/ */
  addon: string;
  libtorch: string;
  torchVersion: string;
  /** hash of the native sources and CMakeLists.txt */
  sources: string;
}

// The one piece of state of this module: a rebuild while we run must not bring a second copy of the addon, with its own
// idea of the process-wide settings, into the process.
let loaded: NativeAddon | undefined;

/** The native module, once per process.
 *  throws build/engine.not_built, build/engine.other_libtorch, build/engine.not_loadable */
export async function loadAddon(): Promise<NativeAddon> {
  loaded ??= await requireAddon(await readStamp());
  return loaded;
}

/** What this stamp stands for. A libtorch that was replaced in its folder may load and then end the process at its first call:
 *  C++ promises nothing across releases. */
export async function requireAddon(stamp: BuildStamp | null): Promise<NativeAddon> {
  if (!stamp) {
    throw new PanthaliaError('build', 'The engine is not built yet.', {
      code: 'engine.not_built',
      next: 'npm run build',
    });
  }
  const present = await libtorchVersion(stamp.libtorch).catch(() => 'none');
  if (present !== stamp.torchVersion) {
    const sentence = `The engine is built for libtorch ${stamp.torchVersion}, and in ${stamp.libtorch} there is ${present}.`;
    throw new PanthaliaError('build', sentence, {
      code: 'engine.other_libtorch',
      details: { folder: stamp.libtorch, expected: stamp.torchVersion, received: present },
      next: 'npm run build',
    });
  }
  try {
    return createRequire(import.meta.url)(join(buildFolder, stamp.addon)) as NativeAddon;
  } catch (cause) {
    throw new PanthaliaError('build', `The engine does not load: ${(cause as Error).message}`, {
      code: 'engine.not_loadable',
      details: { ...stamp },
      next: 'npm run build',
      cause,
    });
  }
}

/** Loads the addon in a child process, so that one that crashes takes nothing with it.
 *  Returns what it says about itself, or why it does not load. */
export async function probeAddon(
  path: string,
  signal?: AbortSignal,
): Promise<{ info: ReturnType<NativeAddon['buildInfo']> } | { problem: string }> {
  const program = 'console.log(JSON.stringify(require(process.argv[1]).buildInfo()))';
  const { code, stdout, tail } = await runCommand(process.execPath, ['-e', program, path], { signal });
  if (code === 0) return { info: JSON.parse(stdout) };
  return { problem: tail.find((line) => /Error:/.test(line)) ?? `the probe ended with code ${code}` };
}

export async function readStamp(): Promise<BuildStamp | null> {
  try {
    return JSON.parse(await readFile(stampPath, 'utf8')) as BuildStamp;
  } catch {
    return null; // missing or torn: both mean that there is no finished build
  }
}
