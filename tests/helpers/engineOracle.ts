/** native/test/engine_test.cc: oracles that need libtorch's own autograd and optimisers. */
import { buildPrograms, runProgram } from './nativeProgram.js';

/** Takes about a minute the first time: it compiles against libtorch's autograd headers. */
export async function buildEngineOracle(): Promise<void> {
  await buildPrograms('panthalia_engine_test');
}

export async function engineOracle<Answer>(...args: (string | number)[]): Promise<Answer> {
  return runProgram('panthalia_engine_test', ...args);
}
