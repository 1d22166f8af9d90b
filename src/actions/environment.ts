/** Where a run was made, for its report: label -> value. What can not be found out is left out. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { projectRoot, readStamp } from '../engine/loadAddon.js';
import { runCommand } from '../engine/runCommand.js';

export async function environment(): Promise<Record<string, string>> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  const git = await runCommand(
    'git',
    ['-C', projectRoot, 'describe', '--always', '--dirty', '--abbrev=12'],
    {},
  );
  const stamp = await readStamp();
  return {
    panthalia: version,
    ...(git.code === 0 ? { commit: git.stdout.trim() } : {}),
    ...(stamp ? { libtorch: stamp.torchVersion } : {}),
    node: process.versions.node,
    system: `${type()} ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: String(availableParallelism()),
    memory: `${(totalmem() / 1e9).toFixed(1)} GB`,
  };
}
