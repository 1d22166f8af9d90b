/** Ctrl-Z, and coming back, as a shell and its user expect them: the ordinary screen and whole lines while the job is stopped, and
 *  after `fg` all of the dashboard again. */
import type { Screen } from './screen.js';

export interface Suspension {
  /** Gives the terminal back, stops the whole job, npx and all, and resolves when it goes on and the screen is drawn again. */
  suspend(): Promise<void>;
  /** Twice is harmless. */
  close(): void;
}

export interface SuspensionOptions {
  screen: Pick<Screen, 'isTaken' | 'take'>;
  /** Runs something while the terminal is nobody's of ours. */
  beside: (program: () => Promise<void>) => Promise<void>;
  /** Without it SIGTSTP does what it does to any process, and coming back is all there is. */
  canBeSuspended: boolean;
}

/** group: 0, for all of the job that the terminal runs, as its driver would do it; or this process alone */
type Target = 'group' | 'self';

export function createSuspension({ screen, beside, canBeSuspended }: SuspensionOptions): Suspension {
  let isClosed = false;
  let isBusy = false;
  const hear = () => {
    if (isClosed) return;
    if (canBeSuspended) process.on('SIGTSTP', onStop);
    process.on('SIGCONT', onContinue);
  };
  const deafen = () => {
    process.off('SIGTSTP', onStop);
    process.off('SIGCONT', onContinue);
  };
  // Without listeners SIGTSTP stops the process before `kill` returns. Of a job that no shell waits for it does nothing.
  const stop = async (target: Target) => {
    deafen();
    process.kill(target === 'group' ? 0 : process.pid, 'SIGTSTP');
    hear();
  };
  const comeBack = () => {
    screen.take();
    // A terminal tells its size only to the job in front.
    process.kill(process.pid, 'SIGWINCH');
  };
  const away = async (program: () => Promise<void>) => {
    if (isBusy) return;
    isBusy = true;
    try {
      await beside(program);
    } finally {
      // Whatever went wrong: a terminal that nobody has shows nothing, not even that.
      isBusy = false;
      if (!isClosed) comeBack();
    }
  };
  // A pager that has the terminal has its own answer to Ctrl-Z; we stop beside it.
  const onStop = () => void (screen.isTaken ? away(() => stop('self')) : stop('self'));
  // After a SIGSTOP nobody could give the terminal back, and the shell may have changed it.
  const onContinue = () => void (screen.isTaken && away(async () => {}));
  hear();
  return {
    suspend: () => away(() => stop('group')),
    close() {
      isClosed = true;
      deafen();
    },
  };
}
