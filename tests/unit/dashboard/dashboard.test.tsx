import { render } from 'ink-testing-library';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import Dashboard from '../../../src/dashboard/Dashboard.js';
import { createSession, type Session } from '../../../src/dashboard/session.js';
import type { Effect } from '../../../src/dashboard/view.js';
import type { StampedEvent } from '../../../src/events/types.js';
import { recordedEvents, stamper } from '../../helpers/recordedRun.js';

/** What the terminal sends for the keys that have no character. */
const codes = {
  up: '\x1b[A',
  down: '\x1b[B',
  escape: '\x1b',
  shiftTab: '\x1b[Z',
  pageUp: '\x1b[5~',
  ctrlC: '\x03',
};

interface Open {
  session: Session;
  effects: Effect[];
  frame: () => Promise<string>;
  frames: () => number;
  type: (...keys: string[]) => Promise<void>;
  push: (events: readonly StampedEvent[]) => Promise<void>;
  /** Lets time go by, and React do what it has put off. */
  wait: (milliseconds: number) => Promise<void>;
}

const unmounts: (() => void)[] = [];

// The clock of the frames is ours, so that no test waits for a tenth of a second.
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  });
});
afterEach(() => {
  for (const unmount of unmounts.splice(0)) unmount();
  vi.useRealTimers();
});

async function open(columns = 100, rows = 30, frameCostMs = 0): Promise<Open> {
  const nowMs = Date.parse(recordedEvents().at(-1)?.t ?? '');
  const effects: Effect[] = [];
  let cpuMs = 0;
  const session = createSession({
    // Asked before and after each frame.
    cpuMs: () => (cpuMs += frameCostMs / 2),
    abilities: new Set(['pager', 'save', 'dispute', 'stopWorker', 'stream']),
    ...{ size: { columns, rows }, title: 'PANTHALIA SIMULATOR V0', now: () => nowMs },
    onEffect: (effect) => effects.push(effect),
  });
  const screen = render(
    <Dashboard session={session} hasColors={false} onKey={(key) => session.press(key)} />,
  );
  unmounts.push(() => {
    screen.unmount();
    session.close();
  });
  const wait = async (milliseconds: number) => {
    vi.advanceTimersByTime(milliseconds);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  };
  const settle = () => wait(150);
  await settle();
  return {
    wait,
    session,
    effects,
    frame: async () => {
      await settle();
      return screen.lastFrame() ?? '';
    },
    frames: () => screen.frames.length,
    type: async (...keys) => {
      for (const key of keys) {
        screen.stdin.write(key);
        await settle();
      }
    },
    push: async (events) => {
      for (const event of events) session.push(event);
      await settle();
    },
  };
}

test('the arrow keys move the star', async () => {
  const { frame, type, push } = await open();
  await push(recordedEvents());
  expect(await frame()).toMatch(/\* worker_0/);
  await type(codes.down, codes.down);
  expect(await frame()).toMatch(/\* worker_2/);
  await type(codes.up, codes.up, codes.up);
  expect(await frame()).toMatch(/\* sot/);
});

test('Tab and Shift-Tab change the panel, ? opens the help, Esc closes it', async () => {
  const { frame, type, push } = await open();
  await push(recordedEvents());
  await type('\t', '\t');
  expect(await frame()).toContain('slot state');
  await type(codes.shiftTab);
  expect(await frame()).toContain('outer steps');
  await type('?');
  expect(await frame()).toContain('whole width, and back');
  await type(codes.escape);
  expect(await frame()).toContain('outer steps');
});

test('a question stands on the screen until it is answered', async () => {
  const { frame, type, push, effects } = await open();
  const events = recordedEvents();
  await push(events.slice(0, events.findIndex(({ type: kind }) => kind === 'train.step') + 1));
  await type('x');
  expect(await frame()).toContain('Stop worker_0?');
  await type('n');
  expect(await frame()).not.toContain('Stop worker_0?');
  await type('x', 'y');
  expect(effects).toEqual([{ do: 'stopWorker', process: 'worker_0' }]);
});

test('q, Q and Ctrl-C ask to quit', async () => {
  const { type, effects } = await open();
  await type('q', 'Q', codes.ctrlC);
  expect(effects).toEqual([{ do: 'quit' }, { do: 'quitNow' }, { do: 'quit' }]);
});

test('a thousand events in one second are at most eleven frames, and none of them is lost', async () => {
  const { session, frames, frame, wait } = await open();
  const stamp = stamper();
  session.push(stamp('simulate', { type: 'process.started', process: 'sot', pid: 1 }));
  await wait(1000);
  const before = frames();
  for (let i = 0; i < 1000; i++) {
    session.push(stamp('sot', { type: 'process.log', process: 'sot', line: `line ${i}` }));
    await wait(1);
  }
  expect(frames() - before).toBeLessThanOrEqual(11);
  expect(frames() - before).toBeGreaterThan(5);
  expect(await frame()).toContain('line 999');
});

test('frames that cost much come less often, but whoever types sees it at once', async () => {
  const { session, frames, frame, type, wait } = await open(100, 30, 100);
  const stamp = stamper();
  session.push(stamp('simulate', { type: 'process.started', process: 'sot', pid: 1 }));
  for (let i = 0; i < 20; i++) await wait(50);
  const before = frames();
  for (let i = 0; i < 1000; i++) {
    session.push(stamp('sot', { type: 'process.log', process: 'sot', line: `line ${i}` }));
    await wait(1);
  }
  expect(frames() - before).toBe(1);
  await type('?');
  await wait(100);
  expect(await frame()).toContain('copy the line (OSC 52)');
});

test('a resized screen is drawn anew', async () => {
  const { session, frame, push } = await open(200, 60);
  await push(recordedEvents());
  expect((await frame()).split('\n')).toHaveLength(59);
  session.resize({ columns: 80, rows: 24 });
  expect((await frame()).split('\n').length).toBeLessThanOrEqual(23);
  session.resize({ columns: 60, rows: 15 });
  expect(await frame()).toContain('60x15 is too small');
});

test('a notice stands in the footer for some seconds', async () => {
  const { session, frame, wait } = await open();
  session.tell('Saved runs/demo/model-v2.f32.');
  expect(await frame()).toContain('Saved runs/demo/model-v2.f32.');
  await wait(8000);
  expect(await frame()).not.toContain('Saved');
});
