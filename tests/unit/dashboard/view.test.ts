import { expect, test } from 'vitest';
import type { Ability } from '../../../src/dashboard/keys.js';
import { keyNames } from '../../../src/dashboard/keys.js';
import { type DashboardModel, emptyModel, reduce } from '../../../src/dashboard/model.js';
import { logRows, logTitle } from '../../../src/dashboard/panes/logPane.js';
import {
  type Effect,
  firstView,
  press,
  selectedProcess,
  shownLines,
  type View,
} from '../../../src/dashboard/view.js';
import { countUntil, isFact, recordedEvents, stamper } from '../../helpers/recordedRun.js';

const events = recordedEvents();
const whole = events.reduce(reduce, emptyModel());
const all: ReadonlySet<Ability> = new Set([
  'pager',
  'save',
  'dispute',
  'stopWorker',
  'stream',
  'replay',
  'leave',
]);

/** The view after keys, and what they asked for. */
function after(keys: string[], model: DashboardModel = whole, view: View = firstView, abilities = all) {
  const effects: Effect[] = [];
  let last = view;
  for (const key of keys) {
    const pressed = press(last, key, { model, abilities, logRows: 10, disputeCosts: ['It costs 30.'] });
    last = pressed.view;
    if (pressed.effect !== undefined) effects.push(pressed.effect);
  }
  return { view: last, effects };
}

function shown(view: View, model = whole, rows = 10): string[] {
  return logRows(model, view, { columns: 200, rows }).map((line) => line.map(({ text }) => text).join(''));
}

test('up and down go round the list, digits go straight', () => {
  const nameAfter = (...keys: string[]) => selectedProcess(whole, after(keys).view)?.name;
  expect(nameAfter()).toBe('worker_0');
  expect(nameAfter('down', 'j')).toBe('worker_2');
  expect(nameAfter('up')).toBe('sot');
  expect(nameAfter('up', 'down')).toBe('worker_0');
  expect(nameAfter('5')).toBe('anvil');
  expect(nameAfter('9')).toBe('worker_0');
});

test('scrolling up stands still while lines come, and says how many', () => {
  const { view } = after(['pageup']);
  const before = shown(view);
  const stamp = stamper();
  const more = Array.from({ length: 3 }, (_, i) =>
    stamp('worker_0', { type: 'process.log', process: 'worker_0', line: `new ${i}` }),
  ).reduce(reduce, whole);
  expect(shown(view, more)).toEqual(before);
  expect(logTitle(more, view)).toContain('standing still, +3 new');
  expect(shown(after(['f'], more, view).view, more).at(-1)).toContain('new 2');
});

test('pages meet without a gap: every line is shown on the way from the newest to the oldest', () => {
  const lines = shownLines(whole, firstView).length;
  let view = firstView;
  const seen = new Set(shown(view));
  for (let i = 0; i < Math.ceil(lines / 9); i++) {
    view = after(['pageup'], whole, view).view;
    for (const line of shown(view)) seen.add(line);
  }
  expect(seen.size).toBe(new Set(shown({ ...firstView }, whole, 10_000)).size);
  expect(after(['g', 'G']).view.until).toBeNull();
  expect(shown(after(['g']).view)[0]).toBe(shown(firstView, whole, 10_000)[0]);
});

test('find goes to older matches and back, ignores case unless capitals are typed, and Esc ends it', () => {
  const typed = after(['/', ...'LOSS'.split(''), 'enter']);
  expect(typed.view.search).toMatchObject({ text: 'LOSS', isTyping: false, match: null });
  const found = after(['/', ...'loss'.split(''), 'enter']).view;
  const first = found.search?.match ?? -1;
  expect(shown(found).some((line) => line.includes('loss'))).toBe(true);
  const second = after(['n'], whole, found).view.search?.match ?? -1;
  expect(second).toBeLessThan(first);
  expect(after(['n', 'N'], whole, found).view.search?.match).toBe(first);
  expect(after(['escape'], whole, found).view).toMatchObject({ search: null, until: null });
});

test('while a search is typed its letters are no commands, but Ctrl-C still quits', () => {
  const { view, effects } = after(['/', 'q', 'Q', 'x', 'backspace']);
  expect([view.search?.text, effects]).toEqual(['qQ', []]);
  expect(after(['ctrl-c'], whole, view).effects).toEqual([{ do: 'quit' }]);
});

test('the level hides less important lines', () => {
  const count = (view: View) => shownLines(whole, view).length;
  const info = after(['l']).view;
  const warn = after(['l', 'l']).view;
  expect(count(info)).toBeLessThan(count(firstView));
  expect(count(warn)).toBeLessThan(count(info));
  expect(after(['l', 'l', 'l']).view.level).toBe('debug');
});

test('times are of the day, since the start, or off', () => {
  expect(shown(firstView)[0]).toMatch(/^2026-11-25 04:1\d:\d\d,\d{3} - chain - /);
  expect(shown(after(['t']).view)[0]).toMatch(/^\+00:01:\d\d - chain - /);
  expect(shown(after(['t', 't']).view)[0]).toMatch(/^chain - INFO {2}- task/);
});

test('y copies the last line, or the one that was found', () => {
  expect(after(['y']).effects).toEqual([{ do: 'copy', text: 'worker_0 ended with code 143' }]);
  const [effect] = after(['/', ...'accepted'.split(''), 'enter', 'y']).effects;
  expect(effect).toMatchObject({ do: 'copy', text: expect.stringContaining('accepted, worker_0 is paid') });
});

test('a dispute spends tokens: it is asked, with its costs, and only y means yes', () => {
  const submitted = events
    .slice(
      0,
      countUntil(events, (event) => isFact(event, 'TaskSubmitted')),
    )
    .reduce(reduce, emptyModel());
  const task = [...submitted.market.tasks.values()].find(({ state }) => state === 'submitted');
  const tasks: View = { ...firstView, panel: 'tasks' };
  const rows = [...submitted.market.tasks.values()].reverse();
  const view = { ...tasks, tableRow: rows.findIndex(({ taskId }) => taskId === task?.taskId) };
  const asked = after(['d'], submitted, view);
  expect(asked.effects).toEqual([]);
  expect(asked.view.question?.lines.join('\n')).toContain('It costs 30.');
  for (const no of ['n', 'enter', 'escape', 'd', 'q']) {
    expect(after([no], submitted, asked.view)).toMatchObject({ view: { question: null }, effects: [] });
  }
  expect(after(['y'], submitted, asked.view).effects).toEqual([{ do: 'dispute', taskId: task?.taskId }]);
  expect(after(['d'], whole, tasks).effects).toMatchObject([{ do: 'tell' }]);
});

test('stopping a worker is asked; what is no running worker can not be stopped', () => {
  const training = events
    .slice(
      0,
      countUntil(events, ({ type }) => type === 'train.step'),
    )
    .reduce(reduce, emptyModel());
  expect(after(['x', 'y'], training).effects).toEqual([{ do: 'stopWorker', process: 'worker_0' }]);
  expect(after(['5', 'x', 'y'], training).effects).toMatchObject([{ do: 'tell' }, { do: 'copy' }]);
});

test('keys whose ability is missing do nothing', () => {
  const none: ReadonlySet<Ability> = new Set();
  expect(after(['o', 's', 'd', 'x', 'p', '+', 'e'], whole, firstView, none)).toEqual({
    view: firstView,
    effects: [],
  });
});

test('panels go round; any key closes the help, and q quits from it too', () => {
  expect(after(['tab']).view.panel).toBe('loss');
  expect(after(['shift-tab']).view.panel).toBe('stakes');
  expect(after(['tab', 'tab', 'tab', 'tab', 'tab']).view.panel).toBe('log');
  expect(after(['?', 'l']).view).toEqual(firstView);
  expect(after(['?', 'q']).effects).toEqual([{ do: 'quit' }]);
  expect(after(['Q']).effects).toEqual([{ do: 'quitNow' }]);
});

test('a row of a table is selected with up and down there', () => {
  expect(after(['tab', 'tab', 'down', 'down']).view.tableRow).toBe(2);
  expect(after(['tab', 'tab', 'up']).view.tableRow).toBe(whole.market.tasks.size - 1);
});

test('a pasted text is as many keys as it has characters, and Alt is no letter', () => {
  expect(keyNames('ab\r', {})).toEqual(['a', 'b', 'enter']);
  expect(keyNames('\t\t\x03', {})).toEqual(['tab', 'tab', 'ctrl-c']);
  expect(keyNames('c', { ctrl: true })).toEqual(['ctrl-c']);
  expect(keyNames('q', { meta: true })).toEqual([]);
  expect(keyNames('', { tab: true, shift: true })).toEqual(['shift-tab']);
});
