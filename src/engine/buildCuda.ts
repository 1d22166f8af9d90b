/** Builds the engine's CUDA code beside the addon: a shared object for canon-f32-v1 and, where libtorch was built for CUDA, one for
 *  opset torch. The addon opens them when device cuda is asked for. Never without nvcc, and never in the way of those who have no
 *  GPU. */
import { existsSync } from 'node:fs';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { type BuiltAddon, compileJobs } from './buildAddon.js';
import { withBuildLock } from './buildLock.js';
import { buildFolder, projectRoot } from './loadAddon.js';
import { type BuildOptions, runCommand } from './runCommand.js';

const cmakeFolder = join(buildFolder, 'cuda');
const buildLog = join(buildFolder, 'cuda.log');

export interface CudaOptions extends BuildOptions {
  /** PANTHALIA_CUDA: 1 builds or fails, 0 does not build; without it, built where a GPU's driver is loaded and nvcc is found */
  wanted?: string | undefined;
}

interface CudaObject {
  target: string;
  path: string;
}

/** The objects that belong to an addon: another build of the engine has another name. */
function objectsOf({ path, libtorch }: BuiltAddon): CudaObject[] {
  const object = (target: string) => ({
    target,
    path: path.replace(/\.node$/, `${target.replace('panthalia', '')}.so`),
  });
  const forTorch = existsSync(join(libtorch.folder, 'lib/libtorch_cuda.so'));
  return ['panthalia_cuda', ...(forTorch ? ['panthalia_cuda_torch'] : [])].map(object);
}

function missingOf(addon: BuiltAddon): CudaObject[] {
  return objectsOf(addon).filter(({ path }) => !existsSync(path));
}

/** Whether the objects are there afterwards.
 *  throws build/engine.no_nvcc, build/engine.cuda_failed, both only where PANTHALIA_CUDA is 1 */
export async function ensureCuda(addon: BuiltAddon, options: CudaOptions): Promise<boolean> {
  const { log, signal, wanted = process.env.PANTHALIA_CUDA } = options;
  if (missingOf(addon).length === 0) return true;
  if (wanted !== '1' && (wanted !== undefined || !hasDriver())) return false;
  try {
    const onWait = () => log('engine: another process is building it; waiting');
    return await withBuildLock(buildFolder, { signal, onWait }, async () => {
      const missing = missingOf(addon);
      if (missing.length > 0) await build(addon, missing, options);
      return true;
    });
  } catch (error) {
    if (wanted === '1' || !(error instanceof PanthaliaError)) throw error;
    log(`engine: without device cuda. ${error.message}`);
    return false;
  }
}

async function build(addon: BuiltAddon, objects: CudaObject[], { log, signal }: CudaOptions): Promise<void> {
  const nvcc = await findNvcc(signal);
  if (nvcc === null) {
    throw new PanthaliaError('build', 'Compiling the CUDA code needs nvcc 11.8 or later, and none runs.', {
      code: 'engine.no_nvcc',
      next: 'install the CUDA toolkit, put nvcc on the PATH, then PANTHALIA_CUDA=1 npm run build',
    });
  }
  log(`engine: compiling the CUDA code with ${nvcc}`);
  const settings = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_CUDA_COMPILER: nvcc,
    LIBTORCH: addon.libtorch.folder,
  };
  const defined = Object.entries({ ...settings, PANTHALIA_CUDA: 'ON' }).map(
    ([name, value]) => `-D${name}=${value}`,
  );
  await cmake(['-S', projectRoot, '-B', cmakeFolder, ...defined], signal);
  for (const { target, path } of objects) {
    await cmake(['--build', cmakeFolder, '--target', target, '--parallel', String(compileJobs())], signal);
    await copyFile(join(cmakeFolder, `${target}.so`), `${path}.tmp`);
    await rename(`${path}.tmp`, path);
  }
}

async function cmake(args: string[], signal: AbortSignal | undefined): Promise<void> {
  const lines: string[] = [];
  const { code } = await runCommand('cmake', args, { signal, onLine: (line) => lines.push(line) });
  if (code === 0) return;
  await writeFile(buildLog, lines.join('\n'));
  const reason = lines.find((line) => /error\b/i.test(line)) ?? lines.at(-1) ?? 'no output';
  throw new PanthaliaError('build', `Compiling the CUDA code failed: ${reason.trim()}`, {
    code: 'engine.cuda_failed',
    details: { log: buildLog },
    next: `read ${buildLog}; npm run build makes the engine without it`,
  });
}

/** The PATH's, or where the toolkit puts it. */
async function findNvcc(signal: AbortSignal | undefined): Promise<string | null> {
  const folders = [process.env.CUDA_HOME, process.env.CUDA_PATH, '/usr/local/cuda'];
  const known = folders.filter((folder) => folder).map((folder) => join(folder as string, 'bin/nvcc'));
  for (const nvcc of ['nvcc', ...known]) {
    if ((await runCommand(nvcc, ['--version'], { signal })).code === 0) return nvcc;
  }
  return null;
}

/** The device file of the kernel module, on Linux and in its Windows subsystem. */
function hasDriver(): boolean {
  return existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
}
