/** Builds the addon when it is missing or older than its sources. Called by set-up and on first use of the CLI. */
import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, freemem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { withBuildLock } from './buildLock.js';
import { findLibtorch, type Libtorch, libtorchVersion, presentLibtorch } from './libtorch.js';
import { type BuildStamp, buildFolder, probeAddon, projectRoot, readStamp, stampPath } from './loadAddon.js';
import { type BuildOptions, runCommand } from './runCommand.js';

export interface BuiltAddon {
  /** the .node file */
  path: string;
  libtorch: { folder: string; version: string };
}

/** Returns at once when the build is up to date; else finds libtorch (downloading it if need be) and compiles, about a
 *  minute on two cores. Two callers at once build once.
 *  throws build/engine.no_cmake, build/engine.build_failed and those of findLibtorch */
export async function ensureAddon(options: BuildOptions): Promise<BuiltAddon> {
  const current = await currentBuild();
  if (current) return current;
  const onWait = () => options.log('engine: another process is building it; waiting');
  return withBuildLock(buildFolder, { signal: options.signal, onWait }, async () => {
    return (await currentBuild()) ?? (await build(await findLibtorch(options), options));
  });
}

export interface AddonStatus {
  libtorch: Libtorch | null;
  /** null: not built. problem: why it does not load; stale: sources or libtorch changed since */
  addon: { path: string; stale: boolean; problem: string | null; cpuCapability: string | null } | null;
}

/** For `doctor`: what is there, without building or downloading.  throws build/libtorch.unusable for a bad LIBTORCH */
export async function addonStatus(signal?: AbortSignal): Promise<AddonStatus> {
  const libtorch = await presentLibtorch({ log: () => {}, signal });
  const stamp = await readStamp();
  if (!stamp) return { libtorch, addon: null };
  const path = join(buildFolder, stamp.addon);
  const probe = await probeAddon(path, signal);
  return {
    libtorch,
    addon: {
      path,
      stale: (await currentBuild()) === null,
      problem: 'problem' in probe ? probe.problem : null,
      cpuCapability: 'info' in probe ? probe.info.cpuCapability : null,
    },
  };
}

/** The build that stands, if it was made of these sources and of a libtorch that is still there. */
async function currentBuild(): Promise<BuiltAddon | null> {
  const stamp = await readStamp();
  if (!stamp || stamp.sources !== (await sourcesHash())) return null;
  const named = process.env.LIBTORCH;
  if (named && resolve(named) !== stamp.libtorch) return null;
  const path = join(buildFolder, stamp.addon);
  try {
    await access(path);
    // An addon must meet the release it was compiled against: C++ promises nothing across releases.
    if ((await libtorchVersion(stamp.libtorch)) !== stamp.torchVersion) return null;
  } catch {
    return null; // the addon or its libtorch is gone
  }
  return { path, libtorch: { folder: stamp.libtorch, version: stamp.torchVersion } };
}

async function build(libtorch: Libtorch, options: BuildOptions): Promise<BuiltAddon> {
  const cmake = await runCommand('cmake', ['--version'], { signal: options.signal });
  if (cmake.code !== 0) {
    throw new PanthaliaError(
      'build',
      'Compiling the engine needs CMake 3.18 or later, and `cmake` does not run.',
      {
        code: 'engine.no_cmake',
        next: 'install CMake (apt install cmake), then npm run build',
      },
    );
  }
  options.log(
    `engine: compiling against libtorch ${libtorch.version} (${libtorch.source}: ${libtorch.folder})`,
  );
  const sources = await sourcesHash();
  await discardForeignCache();
  await cmakeJs(['configure', `--CDLIBTORCH=${libtorch.folder}`], options);
  await cmakeJs(['build', '--target', 'panthalia', '--parallel', String(compileJobs())], options);
  return publish({ libtorch: libtorch.folder, torchVersion: libtorch.version, sources }, options);
}

/** Puts the new addon beside the old one, proves that it loads, then points the stamp at it. Processes that run the old one
 *  keep their file. */
async function publish(made: Omit<BuildStamp, 'addon'>, options: BuildOptions): Promise<BuiltAddon> {
  const id = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 12);
  const stamp: BuildStamp = { addon: `panthalia-${id}.node`, ...made };
  const path = join(buildFolder, stamp.addon);
  await copyFile(join(cmakeFolder, 'Release/panthalia.node'), `${path}.tmp`);
  await rename(`${path}.tmp`, path);
  const probe = await probeAddon(path, options.signal);
  if ('problem' in probe) throw buildFailure(`The engine was compiled but does not load: ${probe.problem}`);
  await writeFile(`${stampPath}.tmp`, `${JSON.stringify(stamp, null, 2)}\n`);
  await rename(`${stampPath}.tmp`, stampPath);
  for (const name of await readdir(buildFolder)) {
    if (name.startsWith('panthalia-') && name !== stamp.addon) await rm(join(buildFolder, name));
  }
  return { path, libtorch: { folder: made.libtorch, version: made.torchVersion } };
}

/** CMake refuses a cache that was made for another folder, as a copied or moved project has. */
async function discardForeignCache(): Promise<void> {
  const cache = await readFile(join(cmakeFolder, 'CMakeCache.txt'), 'utf8').catch(() => '');
  const home = cache.match(/^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m)?.[1];
  if (home !== undefined && resolve(home) !== resolve(projectRoot))
    await rm(cmakeFolder, { recursive: true });
}

const cmakeFolder = join(buildFolder, 'cmake');
const buildLog = join(buildFolder, 'engine.log');

async function cmakeJs(args: string[], options: BuildOptions): Promise<void> {
  await mkdir(buildFolder, { recursive: true });
  const program = join(
    dirname(createRequire(import.meta.url).resolve('cmake-js/package.json')),
    'bin/cmake-js',
  );
  const lines: string[] = [];
  const command = [program, ...args, '--out', cmakeFolder];
  const { code } = await runCommand(process.execPath, command, {
    cwd: projectRoot,
    signal: options.signal,
    onLine: (line) => lines.push(line),
  });
  await writeFile(buildLog, lines.join('\n'));
  if (code === 0) return;
  const reason = lines.find((line) => /error\b/i.test(line)) ?? lines.at(-1) ?? 'no output';
  throw buildFailure(`Compiling the engine failed: ${reason.trim()}`);
}

function buildFailure(message: string): PanthaliaError {
  return new PanthaliaError('build', message, {
    code: 'engine.build_failed',
    details: { log: buildLog },
    next: `read ${buildLog}; a C++20 compiler is needed (g++ 11, clang 16 or later)`,
  });
}

/** A source that includes ATen takes 0.6 GB to compile. */
export function compileJobs(): number {
  return Math.max(1, Math.min(availableParallelism(), 8, Math.floor(freemem() / 1e9)));
}

async function sourcesHash(): Promise<string> {
  const native = join(projectRoot, 'native');
  const names = (await readdir(native, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  for (const path of [...names, join(projectRoot, 'CMakeLists.txt')]) {
    hash
      .update(`${path.slice(projectRoot.length)}\0`)
      .update(await readFile(path))
      .update('\0');
  }
  return hash.digest('hex');
}
