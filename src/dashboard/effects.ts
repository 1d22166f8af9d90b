/** What a key does beyond the screen. */
import type { Session } from './session.js';
import type { Effect } from './view.js';

/** What there is to control. A key whose control is missing does not exist, and the help does not name it. */
export interface Controls {
  quit(): void;
  quitNow(): void;
  leave?: () => void;
  /** Whether Ctrl-Z may stop the process: it may where nobody waits for it. */
  canBeSuspended?: true;
  /** Each says in one sentence what came of it. */
  save?: () => Promise<string>;
  dispute?: (taskId: string) => Promise<string>;
  stopWorker?: (process: string) => Promise<string>;
  replay?: (change: 'pause' | 'faster' | 'slower' | 'backward' | 'forward') => void;
  /** file of the whole log of a process; null when there is none */
  logPath?: (process: string) => string | null;
}

export interface EffectContext {
  controls: Controls;
  session: Pick<Session, 'tell'>;
  /** Says it on the screen, or beside the plain lines. */
  tell(text: string): void;
  toggleLines(): void;
  suspend(): void;
  openPager(process: string): void;
  /** Puts a text into the clipboard of whoever sits at the terminal. */
  copy(text: string): void;
}

export function carryOut(effect: Effect, context: EffectContext): void {
  const { controls, session, tell } = context;
  const report = (beginning: string, outcome: Promise<string> | undefined) => {
    session.tell(beginning);
    outcome?.then(tell, (error: Error) => tell(error.message));
  };
  switch (effect.do) {
    case 'quit':
      session.tell('Stopping; Q ends at once.');
      controls.quit();
      break;
    case 'quitNow':
      controls.quitNow();
      break;
    case 'leave':
      controls.leave?.();
      break;
    case 'suspend':
      if (controls.canBeSuspended) context.suspend();
      else tell('A run would miss its deadlines. Look at it with panthalia watch, which can be suspended.');
      break;
    case 'stream':
      context.toggleLines();
      break;
    case 'pager':
      context.openPager(effect.process);
      break;
    case 'copy':
      context.copy(effect.text);
      session.tell('Copied.');
      break;
    case 'save':
      report('Saving.', controls.save?.());
      break;
    case 'dispute':
      report('Re-executing the task.', controls.dispute?.(effect.taskId));
      break;
    case 'stopWorker':
      report(`Stopping ${effect.process}.`, controls.stopWorker?.(effect.process));
      break;
    case 'tell':
      session.tell(effect.text);
      break;
    default:
      controls.replay?.(effect.do);
  }
}
