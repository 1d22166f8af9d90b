import { Argument, Command } from 'commander';
import type { Controls } from '../../dashboard/effects.js';
import { readJournal } from '../../events/journal.js';
import type { StampedEvent } from '../../events/types.js';
import type { CommandIo } from '../io.js';
import { positiveNumber, wholeNumber, withOutputOptions } from '../options.js';
import { openRunOutput, type RunOutputOptions, screenOptions } from '../runOutput.js';
import { chooseUi, type Ui, uiOption } from '../ui.js';

interface ReplayFlags {
  ui: Ui;
  speed: number;
  from: number;
  json?: true;
  quiet?: true;
  verbose?: true;
}

const examples = `Examples:
  panthalia replay                       the latest run, four times as fast as it was
  panthalia replay runs/demo --speed 60  a minute a second; + and - change it, arrows seek, p pauses
  panthalia replay runs/demo --json      all its events, one per line
`;

export function replayCommand(io: CommandIo): Command {
  const command = new Command('replay')
    .description('show a run again from its journal, with speed and seek; lines are printed at once')
    .addArgument(new Argument('[run]', 'its folder, or its id in runs/').default(undefined, 'the latest'))
    .addOption(uiOption())
    .option('--speed <x>', 'seconds of the run per second', positiveNumber, 4)
    .option('--from <s>', 'where to begin, in seconds since its start', wholeNumber, 0)
    .option('-v, --verbose', 'plain lines: tell every event')
    .addHelpText('before', examples)
    .action((run: string | undefined, flags: ReplayFlags) => replay(run, flags, io));
  return withOutputOptions(command);
}

/** throws notFound/run.not_found, check/journal.broken */
async function replay(run: string | undefined, flags: ReplayFlags, io: CommandIo): Promise<void> {
  const { findRun } = await import('../../actions/findRun.js');
  const { logPathOf } = await import('../controls.js');
  const folder = findRun(run);
  const events = readJournal(folder.journal);
  const controls: Controls = {
    ...{ quit: () => {}, quitNow: () => {}, logPath: (name) => logPathOf(folder, name) },
    canBeSuspended: true,
  };
  const options = { flags, controls, title: 'PANTHALIA SIMULATOR V0', io };
  if (chooseUi(flags) === 'dashboard') return play(events, flags, options, io);
  const output = await openRunOutput(options);
  for (const event of events) output.listener(event);
  output.close();
}

const frameMs = 100;
/** A process that was suspended does not play what it missed. */
const mostElapsedMs = 1000;

async function play(
  events: StampedEvent[],
  { speed, from }: ReplayFlags,
  options: RunOutputOptions,
  io: CommandIo,
): Promise<void> {
  const { advanceReplay, changeReplay, createTimeline, replayText } = await import(
    '../../dashboard/replay.js'
  );
  const { openDashboard } = await import('../../dashboard/openDashboard.js');
  const timeline = createTimeline(events);
  let state = { atMs: Math.min(timeline.endMs, timeline.startMs + from * 1000), speed, isPaused: false };
  let end: (reason?: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  const show = () => dashboard.show(timeline.modelAt(state.atMs), replayText(state, timeline));
  const dashboard = openDashboard({
    ...screenOptions({
      ...options,
      controls: {
        ...options.controls,
        quit: () => end(),
        quitNow: () => end(),
        replay: (change) => {
          state = changeReplay(state, change, timeline);
          show();
        },
      },
    }),
    now: () => state.atMs,
  });
  let beforeMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const next = advanceReplay(state, Math.min(nowMs - beforeMs, mostElapsedMs), timeline);
    beforeMs = nowMs;
    if (next === state) return;
    state = next;
    show();
  }, frameMs);
  const onSignal = () => end(io.signal.reason);
  io.signal.addEventListener('abort', onSignal, { once: true });
  if (io.signal.aborted) onSignal();
  show();
  try {
    const reason = await ended;
    if (reason !== undefined) throw reason;
  } finally {
    clearInterval(timer);
    dashboard.close();
  }
}
