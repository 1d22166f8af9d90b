/** One engine, several jobs: each inner step is a turn, and the most urgent job waiting gets the next one. So an audit of a
 *  submission starts in the middle of a long solve, and its deadline is met. */
import type { Turn } from './replay.js';

/** Lower is more urgent. */
const priorities = { verify: 0, audit: 1, solve: 2 } as const;
export type Priority = keyof typeof priorities;

export interface EngineTurns {
  turnOf(priority: Priority): Turn;
}

export function createEngineTurns(): EngineTurns {
  const waiting: { rank: number; start: () => void }[] = [];
  let busy = false;

  const next = () => {
    const first = waiting.reduce<number>(
      (best, job, i) => (best < 0 || job.rank < (waiting[best]?.rank ?? 0) ? i : best),
      -1,
    );
    if (first >= 0) waiting.splice(first, 1)[0]?.start();
    else busy = false;
  };
  const acquire = (rank: number) =>
    new Promise<void>((resolve) => {
      if (busy) waiting.push({ rank, start: resolve });
      else {
        busy = true;
        resolve();
      }
    });
  return {
    turnOf: (priority) => async (call) => {
      await acquire(priorities[priority]);
      try {
        return await call();
      } finally {
        next();
      }
    },
  };
}
