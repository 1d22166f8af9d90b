import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { latestDeployment } from '../../actions/runFolder.js';
import { exitCodes, PanthaliaError } from '../../errors.js';
import type { CommandIo } from '../io.js';
import { type ChainFlags, withDeploymentOptions, withOutputOptions } from '../options.js';
import { result } from '../result.js';
import { textTable } from '../table.js';

interface DoctorFlags extends ChainFlags {
  fix?: true;
  json?: true;
}

const examples = `Examples:
  panthalia doctor                              this machine, and the latest run while it lasts
  panthalia doctor --fix                        build what can be built, then look
  panthalia doctor --deployment deployment.json the way to its chain and its Source of Truth too
`;

export function doctorCommand(io: CommandIo): Command {
  const command = new Command('doctor')
    .description('look whether this machine has what is needed, and say what to do')
    .option('--fix', 'build what can be built, and close keystores to others')
    .addHelpText('before', examples)
    .action((flags: DoctorFlags) => run(flags, io));
  return withOutputOptions(withDeploymentOptions(command));
}

async function run({ json, fix, deployment, rpcUrl, sotUrl }: DoctorFlags, io: CommandIo): Promise<void> {
  const { examine } = await import('../../actions/examine.js');
  const isNamed = (deployment ?? rpcUrl ?? sotUrl) !== undefined;
  const latest = rpcUrl === undefined && existsSync(latestDeployment) ? latestDeployment : null;
  const { columns, rows } = process.stderr;
  const findings = await examine({
    hops: {
      deployment: deployment ?? latest,
      ...(rpcUrl === undefined ? {} : { rpcUrl }),
      ...(sotUrl === undefined ? {} : { sotUrl }),
      isNamed,
    },
    terminal: { columns: columns ?? null, rows: rows ?? null, env: process.env },
    fix: fix ?? false,
    say: io.say,
    signal: io.signal,
  });
  const failed = findings.filter(({ state }) => state === 'failed');
  if (failed.length > 0) io.fail(unwell(failed.map(({ name }) => name)));
  if (json) io.print(result({ findings }, failed.length === 0 ? 0 : exitCodes.config));
  else {
    const lines = findings.map(({ name, state, detail, next }) => [
      ...[state, name, next === undefined ? detail : `${detail}; ${next}`],
    ]);
    io.print(textTable(['state', 'what', ''], lines));
  }
}

function unwell(names: string[]): PanthaliaError {
  return new PanthaliaError('config', `Not everything is in order: ${names.join(', ')}.`, {
    code: 'doctor.unwell',
    next: 'the lines marked failed say what to do',
  });
}
