import { Command } from 'commander';
import { exitCodes, PanthaliaError } from '../../errors.js';
import type { CommandIo } from '../io.js';
import { withOutputOptions } from '../options.js';
import { result } from '../result.js';

export function doctorCommand(io: CommandIo): Command {
  const command = new Command('doctor')
    .description('look whether this machine has what is needed, and say what to do')
    .action((flags: { json?: true }) => run(flags, io));
  return withOutputOptions(command);
}

async function run({ json }: { json?: true }, io: CommandIo): Promise<void> {
  const { examine } = await import('../../actions/examine.js');
  const findings = await examine(io.signal);
  const failed = findings.filter(({ state }) => state === 'failed');
  if (failed.length > 0) io.fail(unwell(failed.map(({ name }) => name)));
  if (json) io.print(result({ findings }, failed.length === 0 ? 0 : exitCodes.config));
  for (const { name, state, detail, next } of json ? [] : findings) {
    io.print(`${state.padEnd(7)} ${name.padEnd(11)} ${detail}${next === undefined ? '' : `; ${next}`}`);
  }
}

function unwell(names: string[]): PanthaliaError {
  return new PanthaliaError('config', `Not everything is in order: ${names.join(', ')}.`, {
    code: 'doctor.unwell',
    next: 'the lines marked failed say what to do',
  });
}
