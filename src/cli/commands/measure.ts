import { Command } from 'commander';
import { encodeJson } from '../../events/line.js';
import type { CommandIo } from '../io.js';
import { withMachineOptions, withOutputOptions } from '../options.js';

interface MeasureFlags {
  manifest: string;
  device: 'cpu' | 'cuda' | 'auto';
  threads: number;
}

/** Hidden: simulate asks a child of its own how fast this machine trains. */
export function measureCommand(io: CommandIo): Command {
  const command = new Command('measure')
    .description('time one inner step of a run')
    .requiredOption('--manifest <file>', 'manifest.json of the run')
    .action((flags: MeasureFlags) => run(flags, io));
  return withOutputOptions(withMachineOptions(command, ['cpu', 'cuda', 'auto']));
}

async function run(flags: MeasureFlags, io: CommandIo): Promise<void> {
  const { chooseDevice, measureStep } = await import('../../actions/measure.js');
  const { readManifest } = await import('../../actions/manifest.js');
  const manifest = await readManifest(flags.manifest);
  const device = await chooseDevice(flags.device);
  const stepSeconds = await measureStep(manifest, { device, threads: flags.threads }, io.signal);
  io.print(encodeJson({ device, stepSeconds }));
}
