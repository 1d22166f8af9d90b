/** The programs of native/test: built on demand beside the addon, then run for one JSON object. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureAddon } from '../../src/engine/buildAddon.js';
import { withBuildLock } from '../../src/engine/buildLock.js';
import { buildFolder } from '../../src/engine/loadAddon.js';

const execute = promisify(execFile);
export const cmakeFolder = join(buildFolder, 'cmake');

/** targets: of CMakeLists.txt; test files run at the same time, and one folder is built by one process at a time. */
export async function buildPrograms(...targets: string[]): Promise<void> {
  await ensureAddon({ log: () => {} });
  await withBuildLock(buildFolder, { onWait: () => {} }, async () => {
    await execute('cmake', ['--build', cmakeFolder, '--target', ...targets, '--parallel', '2']);
  });
}

export async function runProgram<Answer>(target: string, ...args: (string | number)[]): Promise<Answer> {
  const { stdout } = await execute(join(cmakeFolder, target), args.map(String));
  return JSON.parse(stdout) as Answer;
}
