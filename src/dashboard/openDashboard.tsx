/** The dashboard on a real terminal. Loads Ink and React, so it is imported only where there is one. */
import type { StampedEvent } from '../events/types.js';
import { type Controls, carryOut } from './effects.js';
import type { Ability } from './keys.js';
import type { DashboardModel } from './model.js';
import { runPager } from './pager.js';
import { createScreen, type Screen, sizeOf } from './screen.js';
import { createSession, type Session } from './session.js';
import { createSuspension } from './suspension.js';
import type { Effect } from './view.js';

export interface DashboardOptions {
  controls: Controls;
  title: string;
  hasColors: boolean;
  disputeCosts?: readonly string[];
  /** unix milliseconds; of a replay, the time that is replayed */
  now?: () => number;
  /** Makes the printer of the lines that are shown while the screen is left with L. It is told every event, for the names. */
  plainPrinter: (write: (line: string) => void) => (event: StampedEvent) => void;
  stdin?: NodeJS.ReadStream;
  stdout?: NodeJS.WriteStream;
}

export interface OpenDashboard {
  push(event: StampedEvent): void;
  /** Another moment of a replay. */
  show(model: DashboardModel, status: string): void;
  /** One sentence for the footer; on stderr while the screen is left. */
  tell(text: string): void;
  /** Gives the terminal back as it was. Twice is harmless. */
  close(): void;
}

export function openDashboard(options: DashboardOptions): OpenDashboard {
  const { controls, hasColors, title, disputeCosts, now } = options;
  const { stdin = process.stdin, stdout = process.stdout } = options;
  const session: Session = createSession({
    ...{ abilities: abilitiesOf(controls), size: sizeOf(stdout), title },
    ...(disputeCosts === undefined ? {} : { disputeCosts }),
    ...(now === undefined ? {} : { now }),
    onEffect: (effect: Effect) => carryOut(effect, context),
  });
  const screen = createScreen({ session, hasColors, stdin, stdout });
  let isClosed = false;
  const tell = (text: string) => {
    if (screen.areLinesPlain) process.stderr.write(`${text}\n`);
    session.tell(text);
  };
  const openPager = async (name: string) => {
    const path = controls.logPath?.(name) ?? null;
    if (path === null) return session.tell(`There is no log file of ${name}.`);
    const problem = await runBeside(screen, stdin, () => runPager(path));
    if (isClosed) return;
    screen.take();
    if (problem !== null) session.tell(problem);
  };
  const suspension = createSuspension({
    screen,
    beside: (program) => runBeside(screen, stdin, program),
    canBeSuspended: controls.canBeSuspended === true,
  });
  const context = {
    ...{ controls, session, tell },
    toggleLines: () => screen.toggleLines(),
    suspend: () => void suspension.suspend(),
    openPager: (name: string) => void openPager(name),
    copy: (text: string) => void stdout.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`),
  };
  const printPlain = options.plainPrinter(
    (line) => screen.areLinesPlain && process.stderr.write(`${line}\n`),
  );
  // Reading from a terminal that is gone fails; whoever sent SIGHUP has said so already.
  stdin.on('error', () => controls.quit());
  screen.take();

  return {
    push(event) {
      session.push(event);
      printPlain(event);
    },
    show: (model, status) => session.show(model, status),
    tell,
    close() {
      if (isClosed) return;
      isClosed = true;
      suspension.close();
      screen.close();
      session.close();
      stdin.unref();
    },
  };
}

/** While the terminal is nobody's of ours. */
async function runBeside<T>(screen: Screen, stdin: NodeJS.ReadStream, program: () => Promise<T>): Promise<T> {
  await screen.letGo();
  // Ink has stopped listening, but Node goes on reading, and would take every other key from the pager.
  await new Promise(setImmediate);
  stdin.pause();
  // It pauses on the next tick: a program that is over before would be followed by a screen that hears nothing.
  await new Promise(setImmediate);
  return await program();
}

function abilitiesOf(controls: Controls): ReadonlySet<Ability> {
  const { logPath: pager, replay } = controls;
  const stream = replay === undefined ? true : undefined;
  const has: Partial<Record<Ability, unknown>> = { ...controls, pager, stream };
  const all: Ability[] = ['pager', 'save', 'dispute', 'stopWorker', 'stream', 'replay', 'leave'];
  return new Set(all.filter((ability) => has[ability] !== undefined));
}
