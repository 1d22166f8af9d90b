/** The rates of npm run test:cuda: bench/step.mjs, and what it printed as a row of the table. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { reasonOf } from '../bench/contestant.mjs';
import { root } from './compile.mjs';

/** model: of bench/workloads.mjs  contestants: ours first, then PyTorch's
 *  returns a row, with the lines of all contestants in `measured`
 *  throws why nothing was measured: a loss that does not agree, memory that is not there, a PyTorch that can not */
export function measureRate({ model, precision, contestants, python, device = 'cuda', rounds = 5 }) {
  const settings = { model, precision, device, rounds, contestants };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  // Machines with a GPU are seldom idle; rounds in turn make up for that.
  const command = [join(root, 'bench/step.mjs'), '--busy', ...options];
  const run = spawnSync(process.execPath, command, {
    encoding: 'utf8',
    env: { ...process.env, PYTHON: python },
    maxBuffer: 1 << 26,
  });
  if (run.status !== 0) {
    const reason = run.error?.message ?? reasonOf(run.stderr);
    throw Object.assign(new Error(reason), { code: 'bench.failed' });
  }
  const measured = run.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const [ours] = measured;
  return {
    same: null,
    seconds: { [device]: ours.milliseconds.median / 1000 },
    ...{ detail: sentence(ours), measured },
  };
}

function sentence({ milliseconds, tokensPerSec, ratios }) {
  const beside = Object.entries(ratios).map(
    ([other, { median, low, high }]) => `${median} (${low}-${high}) times PyTorch's rate, ${other}`,
  );
  return [`${milliseconds.median} ms a step, ${tokensPerSec} tokens/s`, ...beside].join('; ');
}
