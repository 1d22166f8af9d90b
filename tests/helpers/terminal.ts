/** The real CLI in a pseudo-terminal, and a terminal emulator that understands what it draws. */
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { afterEach } from 'vitest';

const program = join(import.meta.dirname, '../../bin/panthalia.js');

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  cwd?: string;
  env?: Record<string, string>;
  /** The shell knows jobs: it says `stopped with` and the settings of the terminal when the program is, and `fg` after a line feed; `bg` before
   *  that where it is typed. */
  hasJobs?: boolean;
}

export interface Terminal {
  /** Everything that was written, escape codes included. */
  raw(): string;
  /** The rows of the screen as a person sees them, without spaces at their ends. */
  screen(): string[];
  /** The rows of the ordinary screen, those that have left it at the top included. */
  history(): string;
  /** Whether the alternate screen is on. */
  isAlternate(): boolean;
  isCursorShown(): boolean;
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Resolves with the screen as soon as it is so; fails when the program ends before. */
  until(what: string, ask: (screen: string) => boolean): Promise<string>;
  /** After the program: its exit code. The shell has said then whether the terminal reads whole lines again. */
  readonly exited: Promise<{ code: number; settings: string }>;
  /** process id of the shell, the parent of the CLI */
  readonly pid: number;
  /** The terminal is gone, as when its window is closed. */
  hangUp(): void;
}

/** Long enough for a machine that is busy with other tests; the error shows the screen. */
const patienceMs = 60_000;

const open = new Set<IPty>();
afterEach(() => {
  for (const pty of open) pty.kill('SIGKILL');
  open.clear();
});

const lastWords = 'end of session';

/** A shell that was there before the program, and says afterwards how it found the terminal. It leaves when all of that has been
 *  read: node-pty drops what has not been 200 ms after the end of a program. */
const shell = `
echo 'a shell was here'
"$@"
code=$?
echo
echo "left with $code"
stty -a | tr '\\n' ' '
echo '${lastWords}'
read -r answer
`;

/** 128 + SIGTSTP or SIGSTOP is what a shell with job control gets from a stopped program. */
const shellWithJobs = shell
  .replace(
    'code=$?\n',
    `code=$?
while [ $code -eq 148 ] || [ $code -eq 147 ]; do
  echo "stopped with $code"
  stty -a | tr '\\n' ' '
  echo 'end of settings'
  read -r answer
  if [ "$answer" = bg ]; then
    bg
    echo 'in the background'
    read -r answer
  fi
  fg
  code=$?
done
`,
  )
  .replace(/^/, 'set -m\n');

/** Starts `panthalia ...args` from a shell that was there before and is there after. */
export function openTerminal(args: readonly string[], options: TerminalOptions = {}): Terminal {
  const { columns = 80, rows = 24, cwd = process.cwd(), env = {}, hasJobs } = options;
  const pty = spawn(
    '/bin/sh',
    ['-c', hasJobs ? shellWithJobs : shell, 'sh', process.execPath, program, ...args],
    {
      ...{ cols: columns, rows, cwd, name: env.TERM ?? 'xterm-256color' },
      env: { ...cleanEnvironment(), ...env },
    },
  );
  open.add(pty);
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000 });
  let raw = '';
  let isRead = false;
  let isOver = false;
  const watchers = new Set<() => void>();
  pty.onData((data) => {
    raw += data;
    if (!isRead && raw.slice(-data.length - lastWords.length).includes(lastWords)) {
      isRead = true;
      pty.write('\n');
    }
    emulator.write(data, () => {
      for (const look of watchers) look();
    });
  });
  const ended = new Promise<void>((resolve) => {
    pty.onExit(() => {
      // What is in the emulator's queue belongs to the screen.
      emulator.write('', () => {
        isOver = true;
        for (const look of watchers) look();
        resolve();
      });
    });
  });
  const screen = () => {
    const { active } = emulator.buffer;
    return Array.from({ length: emulator.rows }, (_, y) =>
      (active.getLine(active.baseY + y)?.translateToString(true) ?? '').trimEnd(),
    );
  };
  const history = () => {
    const { normal } = emulator.buffer;
    const rows = Array.from({ length: normal.length }, (_, y) => normal.getLine(y)?.translateToString(true));
    return rows.join('\n');
  };
  return {
    raw: () => raw,
    screen,
    history,
    isAlternate: () => emulator.buffer.active.type === 'alternate',
    isCursorShown: () => raw.lastIndexOf('\x1b[?25h') >= raw.lastIndexOf('\x1b[?25l'),
    type: (keys) => pty.write(keys),
    resize(width, height) {
      emulator.resize(width, height);
      pty.resize(width, height);
    },
    until(what, ask) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const text = screen().join('\n');
          const isSo = ask(text);
          if (!isSo && !isOver) return;
          watchers.delete(look);
          clearTimeout(late);
          if (isSo) resolve(text);
          else reject(new Error(`the program ended without ${what}:\n${raw.slice(-2000)}`));
        };
        const late = setTimeout(() => {
          watchers.delete(look);
          reject(new Error(`${what} did not come:\n${screen().join('\n')}`));
        }, patienceMs);
        watchers.add(look);
        look();
      });
    },
    exited: ended.then(() => ({
      code: Number(/left with (\d+)/.exec(raw)?.[1] ?? -1),
      settings: /left with \d+\r?\n(.*)/.exec(raw)?.[1] ?? '',
    })),
    pid: pty.pid,
    hangUp: () => pty.kill('SIGHUP'),
  };
}

/** CI would forbid the dashboard, even when it is empty. */
function cleanEnvironment(): Record<string, string> {
  const unwanted =
    /^(CI|CONTINUOUS_INTEGRATION|NODE_ENV|VITEST.*|PANTHALIA_.*|NO_COLOR|FORCE_COLOR|PAGER|TZ)$/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || unwanted.test(name) ? [] : [[name, value] as const],
    ),
  );
}

/** Ages of a run that was recorded long ago. */
export function maskedAges(screen: string): string {
  return screen.replace(/\b\d+(s|m\d\ds|h\d\dm|d\d\dh)\b */g, (age) => '#'.repeat(age.length));
}
