import { Argument, Command } from 'commander';
import type { Controls } from '../../dashboard/effects.js';
import { type CommandIo, untilInterrupted } from '../io.js';
import { wholeNumber, withOutputOptions } from '../options.js';
import { openRunOutput } from '../runOutput.js';
import { type Ui, uiOption } from '../ui.js';

interface WatchFlags {
  ui: Ui;
  heartbeat: number;
  json?: true;
  quiet?: true;
  verbose?: true;
}

const examples = `Examples:
  panthalia watch                        the latest run in runs/, also one that another terminal started
  panthalia watch runs/demo --ui plain   its events as lines, until it ends
`;

export function watchCommand(io: CommandIo): Command {
  const command = new Command('watch')
    .description('show a run that somebody else started, or one that is over')
    .addArgument(new Argument('[run]', 'its folder, or its id in runs/').default(undefined, 'the latest'))
    .addOption(uiOption())
    .option(
      '--heartbeat <s>',
      'seconds between the lines that tell how far it is; 0 for none',
      wholeNumber,
      10,
    )
    .option('-v, --verbose', 'plain lines: tell every event')
    .addHelpText('before', examples)
    .action((run: string | undefined, flags: WatchFlags) => watch(run, flags, io));
  return withOutputOptions(command);
}

/** The dashboard stays until q; lines end with the run. */
async function watch(run: string | undefined, flags: WatchFlags, io: CommandIo): Promise<void> {
  const { findRun } = await import('../../actions/findRun.js');
  const { followRun } = await import('../../actions/followRun.js');
  const { followJournal } = await import('../../events/follow.js');
  const { controlsFor } = await import('../controls.js');
  const folder = findRun(run);
  const closed = new AbortController();
  const controls: Controls = {
    ...controlsFor(folder),
    quit: () => closed.abort(),
    quitNow: () => closed.abort(),
    leave: () => closed.abort(),
    canBeSuspended: true,
  };
  const title = 'PANTHALIA SIMULATOR V0';
  const output = await openRunOutput({ flags, controls, title, io });
  const stop = AbortSignal.any([io.signal, closed.signal]);
  const isPlain = output.ui === 'plain';
  try {
    for await (const events of isPlain
      ? followRun(folder, io.say, stop)
      : followJournal(folder.journal, stop)) {
      for (const event of events) output.listener(event);
      if (isPlain && events.some(({ type }) => type === 'run.ended')) return;
    }
  } catch (error) {
    if (!closed.signal.aborted) throw io.signal.aborted ? io.signal.reason : error;
  } finally {
    output.close();
  }
  if (io.signal.aborted) await untilInterrupted(io.signal);
}
