/** Contract bytecode, compiled when it is missing or older than its sources. */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PanthaliaError } from '../errors.js';
import type { ContractName } from './deployment.js';

/** Key in a deployment -> name in Solidity. */
const contractNames: Record<ContractName, string> = {
  token: 'PanthaliaToken',
  vault: 'Vault',
  registry: 'SubnetRegistry',
  staking: 'Staking',
  beacon: 'RandomnessBeacon',
  market: 'TaskMarket',
  court: 'Court',
  challenge: 'StepChallenge',
  audit: 'Audit',
  reputation: 'Reputation',
  states: 'StateRegistry',
  lens: 'PanthaliaLens',
};

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));
const buildDeadlineMs = 300_000;

/** Creation bytecode of every contract; runs `forge build` first if out/ does not match contracts/.
 *  throws build/forge.not_installed, forge.failed, artifact.unreadable */
export async function contractBytecode(signal: AbortSignal): Promise<Record<ContractName, string>> {
  if (await isStale()) await forgeBuild(signal);
  const names = Object.keys(contractNames) as ContractName[];
  const entries = await Promise.all(names.map(async (name) => [name, await bytecodeOf(name)] as const));
  return Object.fromEntries(entries) as Record<ContractName, string>;
}

/** Runs forge's platform binary in the package.  throws build/forge.not_installed, forge.failed */
async function forgeBuild(signal: AbortSignal): Promise<void> {
  const binary = forgeBinary();
  try {
    await promisify(execFile)(binary, ['build', '--root', packageFolder, 'contracts'], {
      cwd: packageFolder,
      signal,
      timeout: buildDeadlineMs,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (cause) {
    signal.throwIfAborted();
    const { stderr, stdout, message } = cause as { stderr?: string; stdout?: string; message: string };
    const reason = (stderr || stdout || message).trim().split('\n').slice(0, 5).join(' ');
    throw new PanthaliaError('build', `forge could not compile the contracts: ${reason}`, {
      code: 'forge.failed',
      details: { stderr, stdout },
      next: 'run forge build and read its output',
      cause,
    });
  }
}

/** The binary of the platform package; through npx there would be three processes. */
export function forgeBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `@foundry-rs/forge-${process.platform}-${architecture}/bin/forge${process.platform === 'win32' ? '.exe' : ''}`;
  try {
    return createRequire(createRequire(import.meta.url).resolve('@foundry-rs/forge/package.json')).resolve(
      name,
    );
  } catch (cause) {
    throw new PanthaliaError('build', `forge is not installed for ${process.platform}-${architecture}.`, {
      code: 'forge.not_installed',
      next: 'npm ci (without --omit=optional)',
      cause,
    });
  }
}

function artifactPath(name: ContractName): string {
  const contract = contractNames[name];
  return join(packageFolder, 'out', `${contract}.sol`, `${contract}.json`);
}

async function bytecodeOf(name: ContractName): Promise<string> {
  const path = artifactPath(name);
  try {
    return JSON.parse(await readFile(path, 'utf8')).bytecode.object as string;
  } catch (cause) {
    throw new PanthaliaError('build', `The artifact ${path} can not be read.`, {
      code: 'artifact.unreadable',
      details: { path },
      next: 'forge clean && forge build',
      cause,
    });
  }
}

/** forge rewrites its cache file with every build that compiled something. */
async function isStale(): Promise<boolean> {
  const built = await modifiedMs(join(packageFolder, 'cache', 'solidity-files-cache.json'));
  const names = Object.keys(contractNames) as ContractName[];
  const artifacts = await Promise.all(names.map((name) => modifiedMs(artifactPath(name))));
  if (built === null || artifacts.includes(null)) return true;
  const folder = join(packageFolder, 'contracts');
  const sources = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.sol'));
  const paths = [...sources.map((name) => join(folder, name)), join(packageFolder, 'foundry.toml')];
  const changed = await Promise.all(paths.map(modifiedMs));
  return changed.some((time) => time !== null && time > built);
}

async function modifiedMs(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return null;
  }
}
