/** Where the events of a run are shown: on the dashboard, as plain lines, or as JSON. */
import type { Controls } from '../dashboard/effects.js';
import type { DashboardOptions, OpenDashboard } from '../dashboard/openDashboard.js';
import type { EventListener } from '../events/bus.js';
import { encodeEvent } from '../events/line.js';
import type { CommandIo } from './io.js';
import { createPlainPrinter } from './plainPrinter.js';
import { chooseUi, type Ui, wantsColors } from './ui.js';

export interface RunOutputOptions {
  flags: { ui: Ui; json?: true; quiet?: true; verbose?: true; heartbeat?: number };
  controls: Controls;
  title: string;
  disputeCosts?: readonly string[];
  io: CommandIo;
}

export interface RunOutput {
  readonly ui: 'dashboard' | 'plain';
  listener: EventListener;
  /** Prose beside the events. */
  say(line: string): void;
  /** Gives the terminal back. Twice is harmless. */
  close(): void;
}

export async function openRunOutput(options: RunOutputOptions): Promise<RunOutput> {
  const { flags, io } = options;
  const ui = chooseUi(flags);
  if (ui === 'dashboard') return dashboardOutput(options);
  if (flags.json) {
    return { ui, listener: (event) => io.print(encodeEvent(event)), say: io.say, close: () => {} };
  }
  const { startHeartbeat } = await import('./heartbeat.js');
  const printer = plainPrinter(options, io.say);
  const heartbeat = startHeartbeat({ write: io.say, seconds: flags.heartbeat ?? 0 });
  return {
    ui,
    listener(event) {
      printer(event);
      heartbeat.listener(event);
    },
    say: io.say,
    close: () => heartbeat.stop(),
  };
}

/** What is said before the first event, such as the output of a compiler, belongs to the ordinary screen. */
async function dashboardOutput(options: RunOutputOptions): Promise<RunOutput> {
  const { io } = options;
  const { openDashboard } = await import('../dashboard/openDashboard.js');
  let dashboard: OpenDashboard | null = null;
  let isClosed = false;
  return {
    ui: 'dashboard',
    listener(event) {
      if (isClosed) return;
      dashboard ??= openDashboard(screenOptions(options));
      dashboard.push(event);
    },
    say: (line) => (dashboard === null || isClosed ? io.say(line) : dashboard.tell(line)),
    close() {
      isClosed = true;
      dashboard?.close();
    },
  };
}

export function screenOptions(options: RunOutputOptions): DashboardOptions {
  const { controls, title, disputeCosts } = options;
  return {
    ...{ controls, title, hasColors: wantsColors(), plainPrinter: (write) => plainPrinter(options, write) },
    ...(disputeCosts === undefined ? {} : { disputeCosts }),
  };
}

function plainPrinter({ flags }: RunOutputOptions, write: (line: string) => void): EventListener {
  return createPlainPrinter({ write, level: flags.verbose ? 'debug' : 'info' });
}
