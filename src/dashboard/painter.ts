/** Puts Ink's frames on the terminal, row by row, and only the rows that changed.
 *  Ink 6.8 either erases the whole screen for every frame or, with `incrementalRendering`, is one row off when a frame ends in
 *  a line break. In its debug mode it writes whole frames and nothing else, and those are taken from it here. */
import { EventEmitter } from 'node:events';

export interface Painter {
  /** for Ink, which sees a plain stream as wide as the terminal */
  readonly stream: NodeJS.WriteStream;
  /** Nothing is known about the screen any more: the next frame is drawn whole. */
  forget(): void;
  /** Frames are not drawn until `resume`, which draws the next one whole. */
  pause(): void;
  resume(): void;
}

/** Synchronized output (DEC private mode 2026): terminals that know it show a frame at once, others ignore it. */
const begin = '\x1b[?2026h';
const end = '\x1b[?2026l';

export function createPainter(terminal: NodeJS.WriteStream): Painter {
  let drawn: string[] = [];
  let isPaused = false;
  const write = (frame: string) => {
    if (isPaused) return true;
    const rows = frame.split('\n');
    const codes = changes(drawn, rows);
    drawn = rows;
    if (codes !== '') terminal.write(`${begin}${codes}${end}`);
    return true;
  };
  const stream = Object.assign(new EventEmitter(), { write, isTTY: false });
  Object.defineProperty(stream, 'columns', { get: () => terminal.columns });
  Object.defineProperty(stream, 'rows', { get: () => terminal.rows });
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    forget() {
      drawn = [];
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      drawn = [];
    },
  };
}

/** Each row is erased before it is written: after its last column the terminal waits for a line break, and erasing then would
 *  take that column. */
function changes(before: readonly string[], after: readonly string[]): string {
  const count = Math.max(before.length, after.length);
  return Array.from({ length: count }, (_, i) =>
    before[i] === after[i] ? '' : `\x1b[${i + 1};1H\x1b[0m\x1b[2K${after[i] ?? ''}`,
  ).join('');
}
