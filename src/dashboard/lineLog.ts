/** The last lines of something that never ends. A value: appending leaves the old log as it was and shares its chunks. */
import type { Level } from '../events/types.js';

export interface Line {
  /** unix milliseconds */
  timeMs: number;
  /** process the line is from */
  src: string;
  level: Level;
  text: string;
}

export interface LineLog {
  /** lines that are gone; the number of the first one kept */
  dropped: number;
  /** full ones of `chunkLines`, and the one being filled */
  chunks: readonly (readonly Line[])[];
  /** of all lines ever */
  total: number;
}

const chunkLines = 64;

export const emptyLog: LineLog = { dropped: 0, chunks: [], total: 0 };

/** capacity: at least this many lines are kept, and at most two chunks more */
export function appendLine(log: LineLog, line: Line, capacity: number): LineLog {
  const last = log.chunks.at(-1);
  const total = log.total + 1;
  if (last !== undefined && last.length < chunkLines) {
    return { ...log, total, chunks: [...log.chunks.slice(0, -1), [...last, line]] };
  }
  const isFull = total - log.dropped - chunkLines >= capacity;
  return {
    total,
    dropped: log.dropped + (isFull ? chunkLines : 0),
    chunks: [...(isFull ? log.chunks.slice(1) : log.chunks), [line]],
  };
}

/** Oldest first. */
export function linesOf(log: LineLog): Line[] {
  return log.chunks.flat();
}
