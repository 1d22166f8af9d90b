/** Who has the terminal: the screen, which Ink draws; plain lines, with Ink listening for keys; or nobody of ours, while a pager runs. */
import { render } from 'ink';
import Dashboard from './Dashboard.js';
import type { Size } from './layout.js';
import { createPainter } from './painter.js';
import type { Session } from './session.js';
import { guardTerminal } from './terminalGuard.js';

export interface Screen {
  /** false while nobody of ours has the terminal */
  readonly isTaken: boolean;
  readonly areLinesPlain: boolean;
  /** From nobody to the screen, or to plain lines where they were left. */
  take(): void;
  /** From the screen to nobody. */
  letGo(): Promise<void>;
  /** From the screen to plain lines, or back. */
  toggleLines(): void;
  /** For good. Twice is harmless. */
  close(): void;
}

export interface ScreenOptions {
  session: Session;
  hasColors: boolean;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
}

/** What keys do while plain lines are printed. */
const lineKeys = new Set(['L', 'q', 'Q', 'ctrl-c', 'ctrl-z']);

export function sizeOf({ columns, rows }: NodeJS.WriteStream): Size {
  return { columns: columns || 80, rows: rows || 24 };
}

/** Nobody has the terminal yet. */
export function createScreen({ session, hasColors, stdin, stdout }: ScreenOptions): Screen {
  const guard = guardTerminal((stdout as NodeJS.WriteStream & { fd: number }).fd);
  const painter = createPainter(stdout);
  let release: (() => Promise<void>) | null = null;
  let areLinesPlain = false;
  const onKey = (key: string) => {
    if (!areLinesPlain || lineKeys.has(key)) session.press(key);
  };
  const draw = () => {
    guard.enter();
    painter.resume();
    session.resize(sizeOf(stdout));
  };
  const onResize = () => {
    if (release === null || areLinesPlain) return;
    guard.clear();
    painter.forget();
    session.resize(sizeOf(stdout));
  };
  stdout.on('resize', onResize);
  const letGo = async () => {
    await release?.();
    release = null;
  };
  return {
    get isTaken() {
      return release !== null;
    },
    get areLinesPlain() {
      return areLinesPlain;
    },
    take() {
      // A job in the background is stopped by this, and has not drawn yet. Ink would draw first.
      stdin.setRawMode(true);
      if (!areLinesPlain) draw();
      let onGone = () => {};
      const gone = new Promise<void>((resolve) => {
        onGone = resolve;
      });
      const dashboard = <Dashboard session={session} hasColors={hasColors} onKey={onKey} onGone={onGone} />;
      const instance = render(dashboard, {
        ...{ stdin, stdout: painter.stream, debug: true, exitOnCtrlC: false, patchConsole: false },
      });
      release = () => {
        painter.pause();
        instance.unmount();
        guard.leave();
        return gone;
      };
    },
    letGo,
    toggleLines() {
      areLinesPlain = !areLinesPlain;
      if (!areLinesPlain) return draw();
      painter.pause();
      guard.leave();
      process.stderr.write('Plain lines. L comes back to the screen, q quits.\n');
    },
    close() {
      stdout.off('resize', onResize);
      void letGo();
      guard.close();
    },
  };
}
