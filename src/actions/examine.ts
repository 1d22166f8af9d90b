/** What this machine has of what Panthalia needs. Builds nothing and downloads nothing, unless it is asked to mend. */
import { execFile } from 'node:child_process';
import { access, readFile, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forgeBinary } from '../chain/compile.js';
import { type AddonStatus, addonStatus } from '../engine/buildAddon.js';
import { conformanceDefaults } from '../engine/conformance.js';
import { projectRoot } from '../engine/loadAddon.js';
import { runCommand } from '../engine/runCommand.js';
import { anvilBinary } from '../process/anvil.js';
import type { ConformanceReport } from './conformance.js';
import { program } from './crew.js';
import {
  gpuFinding,
  type Hops,
  hopFindings,
  keystoreFinding,
  type TerminalFacts,
  terminalFinding,
} from './examineHops.js';
import type { Finding } from './finding.js';
import { setUp } from './setup.js';
import { foundryKeystores } from './wallet.js';

const leastNode = [20, 19];
const leastDiskBytes = 2e9;
const leastMemoryBytes = 1.5e9;

export interface ExamineOptions {
  hops: Hops;
  terminal: TerminalFacts;
  /** build what can be built first, and take the rights of others to keystores away */
  fix: boolean;
  /** prose about what takes time */
  say: (line: string) => void;
  signal: AbortSignal;
}

/** All checks, in the order of what needs what.  throws only the signal's reason */
export async function examine({ hops, terminal, fix, say, signal }: ExamineOptions): Promise<Finding[]> {
  // What can not be built is told by the check that needs it.
  if (fix) await setUp(say, signal).catch((error: Error) => say(error.message));
  signal.throwIfAborted();
  const addon = addonStatus(signal);
  const further = hopFindings(hops, signal);
  const checks: [string, () => Promise<Finding | string>][] = [
    ['node', async () => nodeFinding(process.versions.node)],
    ['packages', packageVersions],
    ['compiler', () => firstLine('c++', ['--version'])],
    ['cmake', () => firstLine('cmake', ['--version'])],
    ['libtorch', async () => libtorchFinding(await addon)],
    ['engine', async () => engineFinding(await addon)],
    ['conformance', async () => conformanceFinding(await addon, signal)],
    ['anvil', () => firstLine(anvilBinary(), ['--version'])],
    ['forge', () => firstLine(forgeBinary(), ['--version'])],
    ['solc', () => lastLine(process.execPath, [join(projectRoot, 'scripts/solc.mjs'), '--version'])],
    ['contracts', () => present('out/TaskMarket.sol/TaskMarket.json')],
    ['corpus', () => present('build/data/embedded-bytes-v1/manifest.json')],
    ['ports', freePortFinding],
    ['disk', diskFinding],
    ['memory', async () => spaceFinding('memory', freemem(), leastMemoryBytes)],
    ['gpu', () => gpuFinding(signal)],
    ['terminal', async () => terminalFinding(terminal)],
    ['keystore', () => keystoreFinding(foundryKeystores, { fix })],
  ];
  const findings = await Promise.all(checks.map(([name, check]) => findingOf(name, check)));
  return [...findings, ...(await further)];
}

/** A check that throws has failed, and its error says why. */
async function findingOf(name: string, check: () => Promise<Finding | string>): Promise<Finding> {
  try {
    const found = await check();
    return typeof found === 'string' ? { name, state: 'ok', detail: found } : found;
  } catch (error) {
    const { message, next } = error as Error & { next?: string };
    return { name, state: 'failed', detail: message, next: next ?? remedies[name] ?? 'npm ci' };
  }
}

const remedies: Record<string, string> = {
  compiler: 'install a C++20 compiler (apt install g++)',
  cmake: 'install CMake (apt install cmake)',
  contracts: 'npm run build',
  corpus: 'npm run build',
};

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) {
    return { name: 'node', state: 'ok', detail: version };
  }
  const detail = `${version}, and ${leastNode.join('.')} is the oldest that works`;
  return { name: 'node', state: 'failed', detail, next: 'install Node 20.19 or later' };
}

async function packageVersions(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { version, dependencies } = JSON.parse(text) as {
    version: string;
    dependencies: Record<string, string>;
  };
  const told = ['ethers', 'solc', 'typescript', 'commander'].map((name) => `${name} ${dependencies[name]}`);
  return [`panthalia ${version}`, ...told].join(', ');
}

function libtorchFinding({ libtorch }: AddonStatus): Finding {
  if (libtorch !== null) {
    const { version, source, folder } = libtorch;
    return { name: 'libtorch', state: 'ok', detail: `${version} (${source}: ${folder})` };
  }
  return { name: 'libtorch', state: 'failed', detail: 'not found', next: 'npm run build downloads it' };
}

function engineFinding({ addon }: AddonStatus): Finding {
  const failed = (detail: string): Finding => ({
    name: 'engine',
    state: 'failed',
    detail,
    next: 'npm run build',
  });
  if (addon === null) return failed('not built');
  if (addon.problem !== null) return failed(`does not load: ${addon.problem}`);
  if (addon.stale) return failed('older than its sources, or its libtorch has changed');
  return {
    name: 'engine',
    state: 'ok',
    detail: `${addon.path}, ${addon.cpuCapability}, loads in a child process`,
  };
}

/** A few steps of training in a child: an engine that crashes takes nothing with it. */
async function conformanceFinding(status: AddonStatus, signal: AbortSignal): Promise<Finding> {
  const name = 'conformance';
  if (engineFinding(status).state === 'failed') {
    return { name, state: 'failed', detail: 'needs the engine', next: 'npm run build' };
  }
  const { shortSteps } = conformanceDefaults;
  const args = [program, 'conformance', '--steps', String(shortSteps), '--json', '--quiet'];
  const { code, stdout, tail } = await runCommand(process.execPath, args, { signal });
  if (code !== 0) {
    const next = 'panthalia conformance --isa scalar shows whether the vector kernels are to blame';
    return {
      name,
      state: 'failed',
      detail: tail.find((line) => !line.startsWith('{')) ?? `ended with code ${code}`,
      next,
    };
  }
  const { opset, isa, device, digest } = JSON.parse(stdout) as ConformanceReport;
  return { name, state: 'ok', detail: `${opset}, ${isa ?? device}: ${digest}` };
}

async function firstLine(command: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args);
    return stdout.split('\n')[0] ?? '';
  } catch (cause) {
    throw new Error(`${command} does not run: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

async function lastLine(command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args);
  return stdout.trim().split('\n').at(-1) ?? '';
}

async function present(path: string): Promise<string> {
  try {
    await access(new URL(`../../${path}`, import.meta.url));
    return path;
  } catch (cause) {
    throw new Error(`${path} is not there`, { cause });
  }
}

function freePortFinding(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => server.close(() => resolve('127.0.0.1 gives free ports')));
  });
}

async function diskFinding(): Promise<Finding> {
  const { bavail, bsize } = await statfs('.');
  return spaceFinding('disk', bavail * bsize, leastDiskBytes);
}

function spaceFinding(name: string, bytes: number, least: number): Finding {
  const detail = `${(bytes / 1e9).toFixed(1)} GB free`;
  if (bytes >= least) return { name, state: 'ok', detail };
  return {
    name,
    state: 'failed',
    detail: `${detail}, ${least / 1e9} GB are needed`,
    next: `free some ${name}`,
  };
}
