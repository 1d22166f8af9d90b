/** One frame: every block of the screen as rows of text, for a model, a view and a size. Pure. */
import { short } from './format.js';
import { footerText } from './keys.js';
import { type Layout, layoutOf, type Size, smallest } from './layout.js';
import { type DashboardModel, processList, silenceOf } from './model.js';
import { bottomRows } from './panes/bottomPane.js';
import { helpRows, questionRows } from './panes/helpPane.js';
import { feedRows, logRows, logTitle, type PaneSize, searchText } from './panes/logPane.js';
import { chartRows, sparkRows } from './panes/lossPane.js';
import { processRows, whyRows } from './panes/processPane.js';
import { bar, disputeTable, rule, stakeRows, taskFigures, taskTable } from './panes/tablePanes.js';
import { clip, type Row, row, span } from './text.js';
import type { Situation, View } from './view.js';

export interface SceneOptions extends Omit<Situation, 'logRows'> {
  view: View;
  size: Size;
  nowMs: number;
  /** the banner of the paper, or what is being watched */
  title: string;
  /** what somebody just asked for came to; replaces the hints for a moment */
  notice: string | null;
  /** of a replay: where it is and how fast */
  status: string | null;
}

/** Blocks from the top, each with exactly the rows that its layout gives it. */
export interface Scene {
  layout: Layout;
  left: { header: Row[]; body: Row[]; events: Row[]; footer: Row[] };
  right: { list: Row[]; why: Row[]; chart: Row[]; tasks: Row[]; stakes: Row[]; bottom: Row[] };
}

/** How long an alarm stands on top of the screen. */
const bannerMs = 15_000;

function layoutFor(model: DashboardModel, view: View, size: Size): Layout {
  const list = processList(model);
  return layoutOf(size, {
    processes: list.length,
    workers: list.filter(({ isWorker }) => isWorker).length,
    isZoomed: view.isZoomed || view.isHelpOpen,
  });
}

export function sceneOf(options: SceneOptions): Scene {
  const { model, view, size, nowMs } = options;
  const layout = layoutFor(model, view, size);
  const { left, right } = layout;
  if (layout.kind === 'small') return tooSmall(layout, options);
  const rightSize = (rows: number): PaneSize => ({ columns: right.columns - 1, rows });
  const isWide = layout.kind === 'wide';
  return {
    layout,
    left: {
      header: fill(headerRows(options, left.columns), left.header),
      body: fill(bodyRows(options, layout), left.body),
      events: fill(
        [
          rule('events of the market', left.columns),
          ...feedRows(model, { columns: left.columns, rows: left.events - 1 }),
        ],
        left.events,
      ),
      footer: fill([footerRow(options, left.columns)], left.footer),
    },
    right: {
      list: fill(processRows(model, view, { ...rightSize(right.list), nowMs }), right.list),
      why: fill(whyRows(model, view, { ...rightSize(2), nowMs }), right.why),
      chart: fill(
        isWide
          ? framed('training loss', chartRows(model, rightSize(right.chart - 1)), right.columns - 1)
          : sparkRows(model, rightSize(right.chart)),
        right.chart,
      ),
      tasks: fill([...framed('tasks', taskFigures(model, rightSize(3)), right.columns - 1)], right.tasks),
      stakes: fill(
        framed('stakes', stakeRows(model, rightSize(right.stakes - 2)), right.columns - 1),
        right.stakes,
      ),
      bottom: fill(
        bottomRows(model, { ...rightSize(right.bottom), nowMs, isWide, title: options.title }),
        right.bottom,
      ),
    },
  };
}

function tooSmall(layout: Layout, { size: { columns, rows }, abilities }: SceneOptions): Scene {
  const plain = abilities.has('stream') ? ' · L plain lines' : '';
  const text = `${columns}x${rows} is too small, ${smallest.columns}x${smallest.rows} is needed${plain} · q quit`;
  const none: Row[] = [];
  return {
    layout,
    left: {
      header: none,
      body: fill([row(clip(text, columns))], layout.left.body),
      events: none,
      footer: none,
    },
    right: { list: none, why: none, chart: none, tasks: none, stakes: none, bottom: none },
  };
}

function bodyRows(options: SceneOptions, { kind, left }: Layout): Row[] {
  const size = { columns: left.columns, rows: left.body };
  // A wide screen has a header for it.
  const alarm = kind === 'classic' ? alarmRow(options, left.columns) : null;
  if (alarm === null) return panelRows(options, kind, size);
  return [alarm, ...panelRows(options, kind, { ...size, rows: size.rows - 1 })];
}

function panelRows({ model, view, abilities }: SceneOptions, kind: Layout['kind'], size: PaneSize): Row[] {
  if (view.isHelpOpen) return helpRows(abilities, size);
  if (view.question !== null) return questionRows(view.question, size);
  if (view.panel === 'log') return logRows(model, view, size);
  const below = { ...size, rows: size.rows - 1 };
  const titled = (rows: Row[]) =>
    kind === 'classic' ? [row(span(` ${view.panel}`, { bold: true })), ...rows] : rows;
  const room = kind === 'classic' ? below : size;
  if (view.panel === 'loss') return titled(chartRows(model, room));
  if (view.panel === 'tasks') return titled(taskTable(model, view, room));
  if (view.panel === 'disputes') return titled(disputeTable(model, view, room));
  return titled(stakeRows(model, room));
}

/** Lines that the log has for itself: what a page is. */
export function logRowsOf(options: Omit<SceneOptions, 'notice'>): number {
  const { left } = layoutFor(options.model, options.view, options.size);
  return Math.max(1, left.body);
}

function headerRows(options: SceneOptions, columns: number): Row[] {
  const { model, view } = options;
  const { facts } = model;
  const network =
    facts.run === ''
      ? ''
      : `run ${facts.run} · ${facts.preset}, ${short(facts.parameters)} parameters, ${facts.opset}`;
  const what = view.panel === 'log' ? logTitle(model, view) : view.panel;
  const title = row(span(clip(` ${what}`, columns - network.length - 3), { bold: true }));
  const used = title[0]?.text.length ?? 0;
  const gap = ' '.repeat(Math.max(2, columns - used - network.length - 1));
  return [
    alarmRow(options, columns) ?? [...title, span(gap), span(network, { dim: true })],
    rule('', columns),
  ];
}

/** What somebody should know now: a slash, a process that died, a run that says nothing any more. */
function alarmRow({ model, nowMs }: SceneOptions, columns: number): Row | null {
  const { banner } = model;
  const silence = silenceOf(model, nowMs);
  if (silence !== null) return bar(` ${silence}`, columns, { color: 'red', inverse: true });
  if (banner === null || nowMs - banner.timeMs > bannerMs) return null;
  return bar(` ${banner.text}`, columns, {
    color: banner.level === 'error' ? 'red' : 'yellow',
    inverse: true,
  });
}

function footerRow({ model, view, abilities, notice, status }: SceneOptions, columns: number): Row {
  if (view.question !== null) return row(span(clip(' y yes, any other key no', columns), { color: 'cyan' }));
  const search = view.panel === 'log' ? searchText(model, view) : null;
  if (search !== null) return row(span(clip(` ${search}`, columns), { color: 'cyan' }));
  if (notice !== null) return row(span(clip(` ${notice}`, columns), { color: 'yellow' }));
  if (view.isHelpOpen) return row(span(' any key closes the help', { dim: true }));
  const standing =
    view.until === null ? '' : `${logTitle(model, view).split(' · ')[2] ?? 'standing still'} · `;
  const before = status === null ? standing : `${status} · `;
  const room = columns - before.length - 1;
  return row(
    span(clip(` ${before}`, columns), { color: 'yellow' }),
    span(footerText(abilities, room), { dim: true }),
  );
}

function framed(title: string, rows: Row[], columns: number): Row[] {
  return [rule(title, columns), ...rows];
}

/** Exactly so many rows. */
function fill(rows: Row[], count: number): Row[] {
  return Array.from({ length: count }, (_, i) => rows[i] ?? []);
}
