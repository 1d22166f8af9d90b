/** Fetches PyTorch's wheel with pip, which knows the user's mirrors and proxies, and unpacks what a C++ program needs. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { type BuildOptions, runCommand } from './runCommand.js';

export const torchRelease = '2.13.0';
const cpuIndex = 'https://download.pytorch.org/whl/cpu';

/** Nothing is imported from the wheel, so any Python may fetch it: always the one for this version. */
const wheelPython = '3.11';

/** Leaves <folder>/torch/{lib,include}, and <folder>/nvidia beside it for a CUDA wheel; all of it or nothing.
 *  throws build/libtorch.no_pip, build/libtorch.download_failed, build/libtorch.unpack_failed */
export async function downloadLibtorch(folder: string, options: BuildOptions): Promise<void> {
  if (process.platform !== 'linux') {
    throw failure('libtorch.platform', `The engine builds on Linux; this is ${process.platform}.`, {
      next: 'set LIBTORCH to a libtorch of your own, or use a Linux machine',
    });
  }
  const pip = await runCommand('python3', ['-m', 'pip', '--version'], { signal: options.signal });
  if (pip.code !== 0) {
    throw failure(
      'libtorch.no_pip',
      'Fetching libtorch needs python3 with pip, and `python3 -m pip` does not run.',
      {
        next: 'install python3 and pip (apt install python3-pip), or set LIBTORCH',
      },
    );
  }
  await removeAbandoned(folder);
  const fresh = `${folder}.tmp-${process.pid}`;
  await mkdir(join(fresh, 'wheels'), { recursive: true });
  try {
    await fetchWheel(`torch==${torchRelease}`, await attempts(options), fresh, options);
    await unpackWheels(fresh, options);
    await fetchCudaRuntime(fresh, options);
    await rm(join(fresh, 'wheels'), { recursive: true });
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

type Attempt = { where: string; args: string[] };

/** Where to ask, in order. pip set up by hand (a mirror, a wheel folder) is asked first and as it is; without an NVIDIA GPU
 *  PyTorch's CPU index comes before PyPI, whose wheel is the CUDA build and three times the size. */
async function attempts(options: BuildOptions): Promise<Attempt[]> {
  const { stdout: config } = await runCommand('python3', ['-m', 'pip', 'config', 'list'], {
    signal: options.signal,
  });
  const local: Attempt = { where: "pip's wheel folder", args: ['--no-index'] };
  const plain: Attempt = { where: "pip's own index", args: [] };
  const cpu: Attempt = { where: cpuIndex, args: ['--index-url', cpuIndex] };
  const hasLinks = /\bfind-links=/.test(config);
  const hasIndex = /\b(extra-)?index-url=/.test(config);
  const hasGpu = existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0');
  return [...(hasLinks ? [local] : []), ...(hasIndex || hasLinks || hasGpu ? [plain, cpu] : [cpu, plain])];
}

async function fetchWheel(
  wanted: string,
  places: Attempt[],
  fresh: string,
  options: BuildOptions,
): Promise<void> {
  const reasons: string[] = [];
  for (const { where, args } of places) {
    options.log(`libtorch: fetching ${wanted} from ${where}`);
    const fixed = [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--python-version',
      wheelPython,
    ];
    const command = [...fixed, '--dest', join(fresh, 'wheels'), ...args, wanted];
    const { code, tail } = await runCommand('python3', command, { signal: options.signal });
    if (code === 0) return;
    reasons.push(`${where}: ${tail.filter((line) => line.startsWith('ERROR')).at(-1) ?? tail.at(-1)}`);
  }
  throw failure('libtorch.download_failed', `pip could not fetch ${wanted} (${reasons.join('; ')}).`, {
    next: 'check the network and the disk, or set LIBTORCH to a libtorch 2.11 or later',
  });
}

/** libtorch_cpu of a CUDA wheel needs libcudart and libcupti even for the CPU; its RPATH expects their wheels beside it. */
async function fetchCudaRuntime(fresh: string, options: BuildOptions): Promise<void> {
  const version = await readFile(join(fresh, 'torch/version.py'), 'utf8');
  const cuda = version.match(/^cuda\b.*=\s*'(\d+)\.(\d+)'/m);
  if (!cuda) return;
  const [, major, minor] = cuda;
  const suffix = Number(major) >= 13 ? '' : `-cu${major}`;
  for (const part of ['runtime', 'cupti']) {
    const places = [{ where: "pip's own index", args: [] }];
    await fetchWheel(`nvidia-cuda-${part}${suffix}==${major}.${minor}.*`, places, fresh, options);
  }
  await unpackWheels(fresh, options);
}

/** Streams the needed members of every fetched wheel to disk and deletes the wheel. */
async function unpackWheels(fresh: string, options: BuildOptions): Promise<void> {
  for (const name of await readdir(join(fresh, 'wheels'))) {
    const wheel = join(fresh, 'wheels', name);
    options.log(`libtorch: unpacking ${name}`);
    const { code, tail } = await runCommand('python3', ['-c', unpackProgram, wheel, fresh], {
      signal: options.signal,
    });
    if (code !== 0) {
      throw failure('libtorch.unpack_failed', `Unpacking ${name} into ${fresh} failed: ${tail.at(-1)}.`, {
        next: `free 2 GB on the disk of ${dirname(fresh)} and try again`,
      });
    }
    await rm(wheel);
  }
}

/** Headers, shared libraries but for Python's and the tests', licences. zipfile checks each member's CRC. */
const unpackProgram = `
import re, sys, zipfile
wanted = re.compile(r'torch/(version\\.py|include/.*|lib/[^/]+\\.so[.\\d]*)$|torch\\.libs/.*|nvidia/.*\\.so[.\\d]*$|.*licenses/LICENSE$')
unwanted = re.compile(r'torch/lib/lib(torch_python|torchbind_test|jitbackend_test|backend_with_compiler|aoti_custom_ops)\\.so')
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in wheel.namelist():
        if wanted.match(name) and not unwanted.match(name):
            wheel.extract(name, sys.argv[2])
`;

/** Folders of downloads whose process was killed. */
async function removeAbandoned(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  for (const name of await readdir(dirname(folder))) {
    const owner = name.startsWith(`${basename(folder)}.tmp-`) ? Number(name.split('-').at(-1)) : Number.NaN;
    if (Number.isInteger(owner) && !existsSync(`/proc/${owner}`)) {
      await rm(join(dirname(folder), name), { recursive: true, force: true });
    }
  }
}

function failure(code: string, message: string, options: { next: string }): PanthaliaError {
  return new PanthaliaError('build', message, { code, next: options.next });
}
