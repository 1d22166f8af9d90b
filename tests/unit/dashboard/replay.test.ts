import { expect, test } from 'vitest';
import { emptyModel, reduce } from '../../../src/dashboard/model.js';
import { advanceReplay, changeReplay, createTimeline, replayText } from '../../../src/dashboard/replay.js';
import { recordedEvents } from '../../helpers/recordedRun.js';

const events = recordedEvents();
const timeline = createTimeline(events);
const { startMs, endMs } = timeline;
const start = { atMs: startMs, speed: 4, isPaused: false };

test('every moment is the fold of the events until then, whichever way it is reached', () => {
  const many = createTimeline(
    Array.from({ length: 6 }, () => events)
      .flat()
      .map((event, i) => ({
        ...event,
        t: new Date(startMs + i * 10).toISOString(),
      })),
  );
  const all = Array.from({ length: 6 }, () => events)
    .flat()
    .map((event, i) => ({
      ...event,
      t: new Date(startMs + i * 10).toISOString(),
    }));
  for (const count of [1, 700, 20, 2000, 1999, 2001, all.length, 1]) {
    const expected = all.slice(0, count).reduce(reduce, emptyModel());
    expect(many.modelAt(startMs + (count - 1) * 10)).toEqual(expected);
  }
});

test('it runs at its speed and stops at the end', () => {
  expect(advanceReplay(start, 1000, timeline)).toEqual({ ...start, atMs: startMs + 4000 });
  expect(advanceReplay(start, 1e9, timeline)).toEqual({ ...start, atMs: endMs, isPaused: true });
  const paused = { ...start, isPaused: true };
  expect(advanceReplay(paused, 1000, timeline)).toBe(paused);
});

test('keys change speed and place, within bounds', () => {
  const after = (state: typeof start, ...changes: Parameters<typeof changeReplay>[1][]) =>
    changes.reduce((last, change) => changeReplay(last, change, timeline), state);
  expect(after(start, 'faster', 'faster', 'slower').speed).toBe(8);
  expect(after(start, 'backward').atMs).toBe(startMs);
  expect(after(start, 'forward', 'forward').atMs).toBe(startMs + 20_000);
  expect(after({ ...start, atMs: endMs }, 'forward').atMs).toBe(endMs);
  expect(after(start, 'pause').isPaused).toBe(true);
  const again = after({ atMs: endMs, speed: 4, isPaused: true }, 'pause');
  expect(again).toEqual({ atMs: startMs, speed: 4, isPaused: false });
});

test('the footer says where it is', () => {
  expect(replayText({ ...start, atMs: startMs + 31_000 }, timeline)).toBe('replay 4x 00:00:31 of 00:01:11');
  expect(replayText({ ...start, isPaused: true }, timeline)).toBe('replay paused 00:00:00 of 00:01:11');
  expect(replayText({ ...start, atMs: endMs }, timeline)).toBe('replay the end 00:01:11 of 00:01:11');
});

test('a journal without events is an empty run', () => {
  expect(createTimeline([]).modelAt(0)).toEqual(emptyModel());
});
