import { Command, Option } from 'commander';
import type { ConformanceReport } from '../../actions/conformance.js';
import { encodeJson } from '../../events/line.js';
import { plural } from '../../events/plural.js';
import type { CommandIo } from '../io.js';
import {
  type MachineFlags,
  machineOf,
  positiveInteger,
  wholeNumber,
  withMachineOptions,
  withOutputOptions,
} from '../options.js';

interface ConformanceFlags extends MachineFlags {
  isa?: 'scalar' | 'avx2' | 'avx512';
  steps: number;
  seed: number;
  json?: true;
}

/** Steps between two lines of progress. */
const progressSteps = 16;

const details = `
Trains two small models, with every operator and with shapes that fit no tile, and prints one digest over all their states. With
4 or 64 steps and seed 0 it must be the one in docs/opset-canon-f32-v1.md, section 8; otherwise the command ends with 5. With
other flags, run it on two machines and compare.

Examples:
  panthalia conformance                                the digest of the best instruction set of this CPU
  panthalia conformance --isa scalar --threads 3       other loops, the same digest
  panthalia conformance --device cuda --json           the GPU's, as one JSON object`;

export function conformanceCommand(io: CommandIo): Command {
  const command = new Command('conformance')
    .description('compute the digest that every machine must give, and compare it with the pinned one')
    .addOption(
      new Option('--isa <name>', 'instruction set of the CPU kernels (default: the best there is)').choices([
        'scalar',
        'avx2',
        'avx512',
      ]),
    )
    .addOption(new Option('--steps <n>', 'inner steps of each model').argParser(positiveInteger).default(64))
    .addOption(new Option('--seed <n>', 'of parameters and tokens').argParser(wholeNumber).default(0))
    .addHelpText('after', details)
    .action((flags: ConformanceFlags) => run(flags, io));
  return withOutputOptions(withMachineOptions(command));
}

async function run(flags: ConformanceFlags, io: CommandIo): Promise<void> {
  const { isa, steps, seed, json } = flags;
  const { requireMatch, runConformance } = await import('../../actions/conformance.js');
  const tell = (model: number, step: number) => {
    if (step % progressSteps === 0) io.say(`model ${model} of 2, step ${step} of ${steps}`);
  };
  const report = await runConformance({
    ...machineOf(flags),
    ...(isa === undefined ? {} : { isa }),
    ...{ steps, seed, say: io.say, signal: io.signal },
    ...(io.isWatched ? { onStep: tell } : {}),
  });
  try {
    requireMatch(report, 'panthalia conformance --isa scalar shows whether the vector kernels are to blame');
  } catch (error) {
    io.fail(error);
  }
  io.print(json ? encodeJson(report) : reportText(report));
}

function reportText({
  opset,
  digest,
  matches,
  isa,
  threads,
  device,
  milliseconds,
}: ConformanceReport): string {
  const verdict = { true: 'as pinned', false: 'NOT as pinned', null: 'nothing pinned for these flags' };
  const machine = `${isa ?? device}, ${plural(threads, 'thread')}`;
  return `${opset}  ${digest}  ${verdict[`${matches}`]}  (${machine}, ${(milliseconds / 1000).toFixed(1)} s)`;
}
