/** What a command may do to the outside: two streams and a signal. */

/** Why a wait was given up: somebody pressed Ctrl-C, or sent a signal. */
export class Interruption extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.name = 'Interruption';
  }
}

export interface CommandIo {
  /** The result, one line on stdout. */
  print(line: string): void;
  /** Progress and prose, one line on stderr; silent with --quiet. */
  say(line: string): void;
  /** Whether somebody watches stderr: progress of short waits is for them only. */
  readonly isWatched: boolean;
  /** Tells the error on stderr and makes it the exit code, which it returns, for a command that has a result to print all
   *  the same. */
  fail(error: unknown): number;
  /** Aborts, with an Interruption as reason, at the first SIGINT, SIGTERM or SIGHUP. The second one ends the process. */
  readonly signal: AbortSignal;
}

/** Waits for nothing but the signal. */
export function untilInterrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
