import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keyTable, usableKeys } from '../../../src/dashboard/keys.js';
import { layoutOf } from '../../../src/dashboard/layout.js';
import { type DashboardModel, emptyModel, reduce } from '../../../src/dashboard/model.js';
import { type Scene, type SceneOptions, sceneOf } from '../../../src/dashboard/scene.js';
import { clip, paint, type Row, row, span } from '../../../src/dashboard/text.js';
import { firstView, type Panel, panels, type View } from '../../../src/dashboard/view.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { alice, bob, History } from '../../helpers/facts.js';
import { countUntil, isFact, recordedEvents, stamper } from '../../helpers/recordedRun.js';

const events = recordedEvents();
const voting = events
  .slice(
    0,
    countUntil(events, (event) => isFact(event, 'VotingOpened')),
  )
  .reduce(reduce, emptyModel());
const whole = events.reduce(reduce, emptyModel());
const abilities = new Set(['pager', 'save', 'dispute', 'stopWorker', 'stream', 'replay', 'leave'] as const);

function options(
  model: DashboardModel,
  columns: number,
  rows: number,
  view: Partial<View> = {},
): SceneOptions {
  return {
    ...{ model, view: { ...firstView, ...view }, abilities, size: { columns, rows }, nowMs: model.timeMs },
    ...{ title: 'PANTHALIA SIMULATOR V0', notice: null, status: null, disputeCosts: [] },
  };
}

function leftOf({ left }: Scene): Row[] {
  return [...left.header, ...left.body, ...left.events, ...left.footer];
}

function rightOf({ right }: Scene): Row[] {
  return [...right.list, ...right.why, ...right.chart, ...right.tasks, ...right.stakes, ...right.bottom];
}

function plain(line: Row): string {
  return line.map(({ text }) => text).join('');
}

/** As it stands on the terminal, without colours. */
function screen(scene: Scene): string {
  const right = rightOf(scene).map(plain);
  const { columns } = scene.layout.left;
  return leftOf(scene)
    .map((line, i) => {
      const edge = scene.layout.right.columns === 0 ? '' : `│${right[i]}`;
      return `${plain(line).padEnd(columns)}${edge}`.trimEnd();
    })
    .join('\n');
}

/** Compares with tests/fixtures/screens; UPDATE_SCREENS=1 writes them anew, for a look at the difference. */
function expectStored(name: string, text: string): void {
  const path = join(import.meta.dirname, '../../fixtures/screens', `${name}.txt`);
  if (process.env.UPDATE_SCREENS === '1') {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `${text}\n`);
  }
  expect(`${text}\n`).toBe(readFileSync(path, 'utf8'));
}

test.each([
  [80, 24],
  [160, 48],
])('a dispute in the middle of its vote at %ix%i', (columns, rows) => {
  expectStored(
    `voting-${columns}x${rows}`,
    screen(sceneOf(options(voting, columns, rows, { selected: 'worker_3' }))),
  );
});

test.each(panels)('the panel %s of a finished run', (panel: Panel) => {
  expectStored(`${panel}-100x30`, screen(sceneOf(options(whole, 100, 30, { panel }))));
});

test('at 80 columns the tasks are whole, each column below its title', () => {
  const { market } = whole;
  const checked = { ...whole, market: { ...market, counts: { ...market.counts, drawn: 5 } } };
  const [, titles = '', first = ''] = screen(sceneOf(options(checked, 80, 24, { panel: 'tasks' })))
    .split('\n')
    .map((line) => line.split('│')[0] ?? '');
  for (const [title, value] of [
    ['state', 'accepted'],
    ['solver', 'worker_0'],
  ] as const) {
    expect(first.indexOf(value)).toBe(titles.indexOf(title));
  }
  const end = (text: string, part: RegExp) => text.search(part) + (part.exec(text)?.[0].length ?? 0);
  expect(end(first, / 10 /)).toBe(end(titles, /price /));
  expect(titles).toMatch(/since$/);
});

test('the help names every key of the table', () => {
  const text = screen(sceneOf(options(whole, 80, 24, { isHelpOpen: true })));
  expectStored('help-80x24', text);
  for (const { does, label } of keyTable) {
    expect(text).toContain(does);
    expect(text).toContain(label);
  }
});

test('a key that can not be used here is in no help', () => {
  const text = screen(sceneOf({ ...options(whole, 80, 24, { isHelpOpen: true }), abilities: new Set() }));
  expect(text).not.toContain('dispute the task');
  expect(text).not.toContain('twice as fast');
  expect(usableKeys(new Set()).map(({ action }) => action)).toContain('quit');
});

test('no two usable keys are the same', () => {
  const keys = keyTable.flatMap((binding) => binding.keys);
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
});

test('at every size both columns have all rows but the last one of the terminal, and none is too wide', {
  timeout: 60_000,
}, () => {
  const wrong: string[] = [];
  for (let columns = 80; columns <= 200; columns += 5) {
    for (let rows = 20; rows <= 60; rows++) {
      const scene = sceneOf(options(voting, columns, rows));
      const { left, right } = scene.layout;
      const [a, b] = [leftOf(scene), rightOf(scene)];
      const isFull =
        a.length === rows - 1 && b.length === rows - 1 && left.columns + right.columns === columns;
      const isNarrow = a.every((line) => plain(line).length <= left.columns);
      const fits = b.every((line) => plain(line).length <= right.columns - 1);
      if (!isFull || !isNarrow || !fits)
        wrong.push(`${columns}x${rows}: ${a.length} ${b.length} ${isNarrow} ${fits}`);
      if (plain(b.at(-1) ?? []).trim() !== 'PANTHALIA SIMULATOR V0')
        wrong.push(`${columns}x${rows}: no banner`);
    }
  }
  expect(wrong).toEqual([]);
});

test('a terminal that is too small says so in one line', () => {
  const text = screen(sceneOf(options(voting, 60, 15)));
  expect(text.split('\n').filter((line) => line !== '')).toEqual([
    '60x15 is too small, 80x20 is needed · L plain lines · q quit',
  ]);
});

test('more processes than rows: the selected one is always in the list', () => {
  const layout = layoutOf({ columns: 80, rows: 24 }, { processes: 40, workers: 36, isZoomed: false });
  const { list, why, chart, tasks, stakes, bottom } = layout.right;
  expect(list + why + chart + tasks + stakes + bottom).toBe(23);
  const crowd = { ...whole, processes: new Map(whole.processes) };
  const first = whole.processes.get('worker_0');
  for (let i = 4; i < 40; i++)
    if (first) crowd.processes.set(`worker_${i}`, { ...first, name: `worker_${i}` });
  for (const selected of ['worker_0', 'worker_20', 'worker_39', 'sot']) {
    expect(screen(sceneOf(options(crowd, 80, 24, { selected })))).toMatch(new RegExp(` \\* ${selected} `));
  }
});

test('before the first event there is a screen too, and the loss is N/A as in the paper', () => {
  const text = screen(sceneOf(options(emptyModel(), 80, 24)));
  expect(text).toContain('Latest Loss: N/A');
  expect(text).toContain('model: 0/0');
});

test('somebody who was slashed is told on top of the screen for a while', () => {
  const { slashed, after } = { slashed: 'worker_2 is slashed 100', after: whole.banner?.timeMs ?? 0 };
  const count = countUntil(events, (event) => isFact(event, 'SeatSlashed'));
  const model = events.slice(0, count).reduce(reduce, emptyModel());
  expect(screen(sceneOf(options(model, 80, 24))).split('\n')[0]).toContain(slashed);
  expect(screen(sceneOf(options(model, 160, 48))).split('\n')[0]).toContain(slashed);
  const later = { ...options(model, 80, 24), nowMs: after + 16_000 };
  expect(screen(sceneOf(later)).split('\n')[0]).not.toContain(slashed);
});

test('a run that says nothing for long is called stuck, a finished one is not', () => {
  const silent = { ...options(voting, 80, 24), nowMs: voting.timeMs + 42_000 };
  expect(screen(sceneOf(silent)).split('\n')[0]).toContain('No event for 42s');
  expect(screen(sceneOf({ ...options(whole, 80, 24), nowMs: whole.timeMs + 42_000 }))).not.toContain(
    'No event',
  );
});

test('without colours bold and inverse stay', () => {
  const line = row(span('loss', { color: 'cyan', bold: true }), ' 6.8');
  expect(paint(line, true)).toBe('\x1b[1m\x1b[36mloss\x1b[0m 6.8');
  expect(paint(line, false)).toBe('\x1b[1mloss\x1b[0m 6.8');
});

test('nothing is cut through a wide character', () => {
  expect(clip('模型训练', 8)).toBe('模型训练');
  expect(clip('模型训练', 6)).toBe('模型…');
  expect(clip('model', 4)).toBe('mod…');
  expect(clip('model', 0)).toBe('');
});

test('a drawn check stands beside its task, is counted, and is cut off on a small screen', () => {
  const stamp = stamper();
  const history = new History();
  const [right, wrong, open] = history.post([0, 1, 2]) as [Hex32, Hex32, Hex32];
  for (const taskId of [right, wrong, open]) {
    history.assign(taskId, alice).submit(taskId, alice).drawChecker(taskId, bob);
  }
  const answers = `0x${'aa'.repeat(32)}` as const;
  const table = (size = 160) => {
    const model = history.facts
      .map((fact) => stamp('simulate', { type: 'chain.fact', fact }))
      .reduce(reduce, emptyModel());
    return screen(sceneOf(options(model, size, 48, { panel: 'tasks' })));
  };
  const name = bob.slice(0, 10);
  // Whoever declines loses nothing; whoever does not come does.
  history.tell({ type: 'CheckerReplaced', taskId: right, checker: bob, bond: 0n, drawBy: 0 });
  history.tell({ type: 'CheckerReplaced', taskId: wrong, checker: bob, bond: 40n, drawBy: 0 });
  expect(table()).toContain(`declined ${name}`);
  expect(table()).toContain(`absent ${name}`);
  history.tell({ type: 'CheckCommitted', taskId: open, checker: bob, answerBy: 0 });
  history.tell({ type: 'CheckRevealed', taskId: wrong, checker: bob, answers, challengeBy: 9 });
  expect(table()).toContain(`looked ${name}`);
  expect(table()).toContain(`differs ${name}`);
  expect(table()).toContain('checks: 3 drawn, 0 passed, 0 convicted');
  history.tell(
    { type: 'CheckClosed', taskId: right, checker: bob, outcome: 'passed', paid: 10n, lost: 0n },
    { type: 'CheckClosed', taskId: wrong, checker: bob, outcome: 'rejected', paid: 10n, lost: 0n },
  );
  expect(table()).toContain(`passed ${name}`);
  expect(table()).toContain(`convicted ${name}`);
  expect(table()).toContain('checks: 3 drawn, 1 passed, 1 convicted');
  for (const line of table(80).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
