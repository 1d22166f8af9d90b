import { Command } from 'commander';
import type { Controls } from '../../dashboard/effects.js';
import { PanthaliaError } from '../../errors.js';
import { encodeJson } from '../../events/line.js';
import type { RunSummary } from '../../events/summary.js';
import type { StampedEvent } from '../../events/types.js';
import type { Address } from '../../protocol/task.js';
import type { CommandIo } from '../io.js';
import { type MetricsFlag, metricsOption, openMetrics } from '../metrics.js';
import { positiveNumber, wholeNumber, withOutputOptions } from '../options.js';
import { openRunOutput } from '../runOutput.js';
import { configOf, type SettingFlags, setting, withSettings } from '../settings.js';
import { summaryText } from '../summaryText.js';
import { type Ui, uiOption } from '../ui.js';

interface SimulateFlags extends MetricsFlag, SettingFlags {
  runDir?: string;
  expectSlashed?: string[];
  expectLoss?: number;
  ui: Ui;
  heartbeat: number;
  json?: true;
  quiet?: true;
  verbose?: true;
}

const examples = `Examples:
  panthalia simulate                                   four workers, about three minutes
  panthalia simulate --cheat worker_2:zero-delta       one of them cheats and is caught
  panthalia simulate --rounds 2 --json > run.jsonl     one event per line, the summary last
`;

export function simulateCommand(io: CommandIo): Command {
  const command = withSettings(
    new Command('simulate').description(
      'train a model on this machine: chain, Source of Truth, master and staked workers',
    ),
  )
    .addOption(setting('--run-dir <dir>', 'new folder for everything the run leaves (default: runs/<time>)'))
    .option('--expect-slashed <worker>', 'end with code 5 unless this worker lost stake; repeatable', append)
    .option('--expect-loss <x>', 'end with code 5 unless the validation loss is at most x', positiveNumber)
    .addOption(metricsOption())
    .addOption(uiOption())
    .option(
      '--heartbeat <s>',
      'plain lines: seconds between those that tell how far it is; 0 for none',
      wholeNumber,
      10,
    )
    .option('-v, --verbose', 'plain lines: tell every event')
    .addHelpText('before', examples)
    .action((flags: SimulateFlags) => run(flags, io));
  return withOutputOptions(command);
}

async function run(flags: SimulateFlags, io: CommandIo): Promise<void> {
  const { loadConfig } = await import('../../config/load.js');
  const config = loadConfig({
    ...(flags.config === undefined ? {} : { file: flags.config }),
    flags: configOf(flags),
  });
  for (const worker of flags.expectSlashed ?? []) requireWorker(worker, config.workers);
  await using metrics = await openMetrics(flags, io);
  const { simulate } = await import('../../actions/simulate.js');
  const { controlsFor, disputeCosts } = await import('../controls.js');
  const processes = new Map<string, number>();
  const controls: Controls = { quit: interrupt, quitNow: () => endAtOnce(io), stopWorker: stopIn(processes) };
  const output = await openRunOutput({ flags, controls, disputeCosts, title: 'PANTHALIA SIMULATOR V0', io });
  const run = simulate(
    {
      config,
      say: output.say,
      ...(flags.runDir === undefined ? {} : { runDir: flags.runDir }),
      onFolder: (folder) => Object.assign(controls, controlsFor(folder)),
      onEvent: (event) => {
        if (event.type === 'process.started') processes.set(event.process, event.pid);
        metrics.listener(event);
        if (flags.json || !isEnding(event)) output.listener(event);
      },
    },
    io.signal,
  );
  const { summary, folder, report, error, accounts } = await run.finally(output.close);
  const failure = error ?? unmetExpectation(flags, summary, accounts);
  if (failure !== undefined) io.fail(failure);
  if (flags.json) io.print(encodeJson(summary));
  // Of a run that failed before its first task there is nothing to tell but why.
  else if (error === undefined || summary.tasks.posted > 0)
    io.print(summaryText(summary, folder.path, report));
}

/** A run of minutes would end with code 5, whatever came of it. */
function requireWorker(name: string, workers: number): void {
  if (Number(/^worker_(0|[1-9]\d*)$/.exec(name)?.[1] ?? workers) < workers) return;
  throw new PanthaliaError(
    'usage',
    `--expect-slashed names ${name}, and the run has worker_0 to worker_${workers - 1}.`,
    {
      code: 'simulate.no_such_worker',
      details: { received: name, workers },
      next: 'panthalia simulate --help',
    },
  );
}

/** As Ctrl-C does where the terminal turns it into a signal: what has begun is finished, the folder is completed. */
function interrupt(): void {
  process.kill(process.pid, 'SIGINT');
}

/** The second signal ends the process, and the leash takes the children; main.ts takes one that follows at once for an echo. */
const echoMs = 300;

function endAtOnce({ signal }: CommandIo): void {
  if (!signal.aborted) interrupt();
  setTimeout(interrupt, echoMs);
}

/** A worker that is told to stop sees through what it owes and leaves; the run goes on without it. SIGTERM would be the end of the run. */
function stopIn(processes: ReadonlyMap<string, number>): (name: string) => Promise<string> {
  return async (name) => {
    const pid = processes.get(name);
    if (pid === undefined) return `${name} has not started yet.`;
    process.kill(pid, 'SIGINT');
    return `${name} was told to stop.`;
  };
}

/** Why the run failed is told once, with the next thing to do, when it is over. */
function isEnding(event: StampedEvent): boolean {
  return event.type === 'alert' && event.level === 'error' && event.src === 'simulate';
}

/** For scripts: the run went through, and the answer may still be no. */
function unmetExpectation(
  { expectSlashed = [], expectLoss }: SimulateFlags,
  { slashed, loss }: RunSummary,
  accounts: Record<string, Address>,
): PanthaliaError | undefined {
  const spared = expectSlashed.filter((worker) => {
    const address = accounts[worker];
    return address === undefined || slashed[address] === undefined;
  });
  if (spared.length > 0)
    return unmet('slashed', `${spared.join(', ')} was expected to be slashed and was not.`);
  const { validation } = loss;
  if (expectLoss === undefined || (validation !== null && validation <= expectLoss)) return undefined;
  return unmet('loss', `A validation loss of at most ${expectLoss} was expected, it is ${validation}.`);
}

function unmet(what: string, sentence: string): PanthaliaError {
  return new PanthaliaError('check', sentence, { code: `simulate.expected_${what}` });
}

function append(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
