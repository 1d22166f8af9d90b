/** A finished run as a film: any moment of it, at any speed. */
import type { StampedEvent } from '../events/types.js';
import { stopwatch } from './format.js';
import { type DashboardModel, emptyModel, reduce } from './model.js';

export interface Timeline {
  /** unix milliseconds */
  readonly startMs: number;
  readonly endMs: number;
  /** The model when all events up to this moment have happened. */
  modelAt(timeMs: number): DashboardModel;
}

/** Models share what did not change between them, so a checkpoint costs little and a seek at most this many events. */
const eventsPerCheckpoint = 500;

export function createTimeline(events: readonly StampedEvent[]): Timeline {
  const times = events.map(({ t }) => Date.parse(t));
  const checkpoints = [emptyModel()];
  const modelAfter = (count: number): DashboardModel => {
    const wanted = Math.floor(count / eventsPerCheckpoint);
    for (let i = checkpoints.length; i <= wanted; i++) {
      const part = events.slice((i - 1) * eventsPerCheckpoint, i * eventsPerCheckpoint);
      checkpoints.push(part.reduce(reduce, checkpoints[i - 1] as DashboardModel));
    }
    const rest = events.slice(wanted * eventsPerCheckpoint, count);
    return rest.reduce(reduce, checkpoints[wanted] as DashboardModel);
  };
  let last = { count: 0, model: emptyModel() };
  return {
    startMs: times[0] ?? 0,
    endMs: times.at(-1) ?? 0,
    modelAt(timeMs) {
      const count = countUntil(times, timeMs);
      const next = events.slice(last.count, count);
      const isNear = count >= last.count && next.length <= eventsPerCheckpoint;
      last = { count, model: isNear ? next.reduce(reduce, last.model) : modelAfter(count) };
      return last.model;
    },
  };
}

/** How many of the ascending times are not after this one. */
function countUntil(times: readonly number[], timeMs: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface ReplayState {
  /** unix milliseconds of the run */
  atMs: number;
  speed: number;
  isPaused: boolean;
}

export type ReplayChange = 'pause' | 'faster' | 'slower' | 'backward' | 'forward';

const seekMs = 10_000;
const speeds = { least: 1 / 8, most: 1024 };

/** The state after a key. Going on from the end starts again. */
export function changeReplay(
  state: ReplayState,
  change: ReplayChange,
  { startMs, endMs }: Timeline,
): ReplayState {
  const within = (timeMs: number) => Math.min(endMs, Math.max(startMs, timeMs));
  switch (change) {
    case 'pause':
      if (state.atMs >= endMs && state.isPaused) return { ...state, atMs: startMs, isPaused: false };
      return { ...state, isPaused: !state.isPaused };
    case 'faster':
      return { ...state, speed: Math.min(speeds.most, state.speed * 2) };
    case 'slower':
      return { ...state, speed: Math.max(speeds.least, state.speed / 2) };
    case 'backward':
      return { ...state, atMs: within(state.atMs - seekMs) };
    case 'forward':
      return { ...state, atMs: within(state.atMs + seekMs) };
  }
}

/** The state after so much time before the screen. It pauses at the end. */
export function advanceReplay(state: ReplayState, elapsedMs: number, { endMs }: Timeline): ReplayState {
  if (state.isPaused) return state;
  const atMs = Math.min(endMs, state.atMs + elapsedMs * state.speed);
  return { ...state, atMs, isPaused: atMs >= endMs };
}

/** replay 4x 00:00:31 of 00:01:12 */
export function replayText({ atMs, speed, isPaused }: ReplayState, { startMs, endMs }: Timeline): string {
  const how = atMs >= endMs ? 'the end' : isPaused ? 'paused' : `${speed}x`;
  return `replay ${how} ${stopwatch(atMs - startMs)} of ${stopwatch(endMs - startMs)}`;
}
