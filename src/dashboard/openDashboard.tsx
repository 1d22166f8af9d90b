/** The dashboard on a real terminal. Loads Ink and React, so it is imported only where there is one. */
import { render } from 'ink';
import type { StampedEvent } from '../events/types.js';
import Dashboard from './Dashboard.js';
import type { Ability } from './keys.js';
import type { DashboardModel } from './model.js';
import { runPager } from './pager.js';
import { createPainter } from './painter.js';
import { createSession, type Session } from './session.js';
import { guardTerminal } from './terminalGuard.js';
import type { Effect } from './view.js';

/** What keys do beyond the screen. A key whose control is missing does not exist, and the help does not name it. */
export interface Controls {
  quit(): void;
  quitNow(): void;
  leave?: () => void;
  /** Each says in one sentence what came of it. */
  save?: () => Promise<string>;
  dispute?: (taskId: string) => Promise<string>;
  stopWorker?: (process: string) => Promise<string>;
  replay?: (change: 'pause' | 'faster' | 'slower' | 'backward' | 'forward') => void;
  /** file of the whole log of a process; null when there is none */
  logPath?: (process: string) => string | null;
}

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

/** What keys do while plain lines are printed. */
const streamKeys = new Set(['L', 'q', 'Q', 'ctrl-c']);

export function openDashboard(options: DashboardOptions): OpenDashboard {
  const { controls, hasColors } = options;
  const { stdin = process.stdin, stdout = process.stdout } = options;
  const sizeNow = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const guard = guardTerminal((stdout as NodeJS.WriteStream & { fd: number }).fd);
  const painter = createPainter(stdout);
  let letGo: (() => Promise<void>) | null = null;
  let isStreaming = false;
  let isClosed = false;

  const printPlain = options.plainPrinter((line) => isStreaming && process.stderr.write(`${line}\n`));
  const onKey = (key: string) => {
    if (!isStreaming || streamKeys.has(key)) session.press(key);
  };
  const takeTerminal = () => {
    guard.enter();
    painter.resume();
    session.resize(sizeNow());
    let onGone = () => {};
    const gone = new Promise<void>((resolve) => {
      onGone = resolve;
    });
    const dashboard = <Dashboard session={session} hasColors={hasColors} onKey={onKey} onGone={onGone} />;
    const instance = render(dashboard, {
      ...{ stdin, stdout: painter.stream, debug: true, exitOnCtrlC: false, patchConsole: false },
    });
    letGo = () => {
      painter.pause();
      instance.unmount();
      guard.leave();
      return gone;
    };
  };
  const onResize = () => {
    if (letGo === null || isStreaming) return;
    guard.clear();
    painter.forget();
    session.resize(sizeNow());
  };
  /** Ink stays, for its keys; only its frames are not drawn. */
  const toggleStreaming = () => {
    isStreaming = !isStreaming;
    if (isStreaming) {
      painter.pause();
      guard.leave();
      process.stderr.write('Plain lines. L comes back to the screen, q quits.\n');
    } else {
      guard.enter();
      painter.resume();
      session.resize(sizeNow());
    }
  };

  const openPager = async (name: string) => {
    const path = controls.logPath?.(name) ?? null;
    if (path === null) return session.tell(`There is no log file of ${name}.`);
    await letGo?.();
    letGo = null;
    // Ink has stopped listening, but Node goes on reading, and would take every other key from the pager.
    await new Promise(setImmediate);
    stdin.pause();
    const problem = await runPager(path);
    if (isClosed) return;
    takeTerminal();
    if (problem !== null) session.tell(problem);
  };

  const onEffect = (effect: Effect) => {
    switch (effect.do) {
      case 'quit':
        session.tell('Stopping; Q ends at once.');
        return controls.quit();
      case 'quitNow':
        return controls.quitNow();
      case 'leave':
        return controls.leave?.();
      case 'stream':
        return toggleStreaming();
      case 'pager':
        return void openPager(effect.process);
      case 'copy':
        stdout.write(`\x1b]52;c;${Buffer.from(effect.text).toString('base64')}\x07`);
        return session.tell('Copied.');
      case 'save':
        return report('Saving.', controls.save?.());
      case 'dispute':
        return report('Re-executing the task.', controls.dispute?.(effect.taskId));
      case 'stopWorker':
        return report(`Stopping ${effect.process}.`, controls.stopWorker?.(effect.process));
      case 'tell':
        return session.tell(effect.text);
      default:
        return controls.replay?.(effect.do);
    }
  };
  const report = (beginning: string, outcome: Promise<string> | undefined) => {
    session.tell(beginning);
    outcome?.then(tell, (error: Error) => tell(error.message));
  };
  const tell = (text: string) => {
    if (isStreaming) process.stderr.write(`${text}\n`);
    session.tell(text);
  };

  const session: Session = createSession({
    abilities: abilitiesOf(controls),
    size: sizeNow(),
    title: options.title,
    ...(options.disputeCosts === undefined ? {} : { disputeCosts: options.disputeCosts }),
    ...(options.now === undefined ? {} : { now: options.now }),
    onEffect,
  });
  // Reading from a terminal that is gone fails; whoever sent SIGHUP has said so already.
  const onLost = () => controls.quit();
  stdin.on('error', onLost);
  stdout.on('resize', onResize);
  takeTerminal();

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
      stdout.off('resize', onResize);
      void letGo?.();
      session.close();
      guard.close();
      stdin.unref();
    },
  };
}

function abilitiesOf(controls: Controls): ReadonlySet<Ability> {
  const { logPath: pager, replay } = controls;
  const stream = replay === undefined ? true : undefined;
  const has: Partial<Record<Ability, unknown>> = { ...controls, pager, stream };
  const all: Ability[] = ['pager', 'save', 'dispute', 'stopWorker', 'stream', 'replay', 'leave'];
  return new Set(all.filter((ability) => has[ability] !== undefined));
}
