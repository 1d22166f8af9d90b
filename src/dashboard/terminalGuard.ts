/** The alternate screen, and the promise to leave it: by q, by a signal, by a crash. Ink 6 has none of its own.
 *  Only SIGKILL can break the promise; `reset` mends it then. */
import { writeSync } from 'node:fs';

/** DEC private modes 1049 (alternate screen) and 25 (cursor), as xterm's ctlseqs names them. */
const enterCodes = '\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l';
const leaveCodes = '\x1b[0m\x1b[?25h\x1b[?1049l';
const clearCodes = '\x1b[0m\x1b[2J\x1b[H\x1b[?25l';

export interface TerminalGuard {
  enter(): void;
  /** Twice is harmless. */
  leave(): void;
  /** An empty screen, after a change of its size. */
  clear(): void;
  /** Leaves for good. */
  close(): void;
}

/** fd: of the terminal */
export function guardTerminal(fd: number): TerminalGuard {
  let isInside = false;
  const write = (codes: string) => {
    try {
      // Not stream.write: at an exit nothing that waits is written any more.
      writeSync(fd, codes);
    } catch {
      // A terminal that is gone needs no restoring.
    }
  };
  const leave = () => {
    if (isInside) write(leaveCodes);
    isInside = false;
  };
  // The monitor comes before the stack trace is printed, which would be lost with the alternate screen.
  const moments = ['exit', 'uncaughtExceptionMonitor'] as const;
  for (const moment of moments) process.on(moment, leave);
  return {
    enter() {
      if (!isInside) write(enterCodes);
      isInside = true;
    },
    leave,
    clear: () => isInside && write(clearCodes),
    close() {
      leave();
      for (const moment of moments) process.off(moment, leave);
    },
  };
}
