/** When the screen is drawn: soon after a change, seldom enough to cost little, and once a second for its clocks. */

const frameMs = 100;
/** A frame waits this many times the CPU time of the last one: a large screen on a slow machine costs less than a tenth of a core. */
const restPerFrame = 16;
/** Ages and clocks on the screen are in seconds. */
const tickMs = 1000;

export interface Frames {
  /** Something is different: a frame follows, not before the last one has rested. */
  change(): void;
  /** As soon as a frame may follow: whoever types does not wait for the rest. */
  answer(): void;
  /** Now. */
  draw(): void;
  /** Ends the clock. Twice is harmless. */
  close(): void;
}

/** cpuMs: CPU time of this process so far */
export function createFrames(show: () => void, cpuMs: () => number = ownCpuMs): Frames {
  let timer: NodeJS.Timeout | null = null;
  let drawnMs = 0;
  let costMs = 0;
  const cancel = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  const draw = () => {
    cancel();
    drawnMs = performance.now();
    const before = cpuMs();
    show();
    // React draws after those who are told have returned.
    setImmediate(() => {
      costMs = cpuMs() - before;
    });
  };
  const drawAfter = (restMs: number) => {
    cancel();
    const waitMs = drawnMs + restMs - performance.now();
    if (waitMs <= 0) draw();
    else timer = setTimeout(draw, waitMs);
  };
  const change = () => {
    if (timer === null) drawAfter(Math.max(frameMs, restPerFrame * costMs));
  };
  const ticker = setInterval(change, tickMs);
  return {
    change,
    answer: () => drawAfter(frameMs),
    draw,
    close: () => {
      clearInterval(ticker);
      cancel();
    },
  };
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
