/** native/test/engine_test.cc: built on demand beside the addon, then run for one JSON object. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildFolder } from '../../src/engine/loadAddon.js';

const execute = promisify(execFile);
const folder = join(buildFolder, 'cmake');

/** Takes about a minute the first time: it compiles against libtorch's autograd headers. */
export async function buildEngineOracle(): Promise<void> {
  await execute('cmake', ['--build', folder, '--target', 'panthalia_engine_test', '--parallel', '2']);
}

export async function engineOracle<Answer>(...args: (string | number)[]): Promise<Answer> {
  const { stdout } = await execute(join(folder, 'panthalia_engine_test'), args.map(String));
  return JSON.parse(stdout) as Answer;
}
