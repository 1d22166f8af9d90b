/** The figures of a report as Vega-Lite specifications. Pure; render.ts makes pictures of them. */
import type { TopLevelSpec } from 'vega-lite';
import type { LossFigure, ReportModel, TrainingPoint } from './model.js';
import type { Column, MoneyFlow } from './money.js';

export interface Figure {
  /** of the element in the page */
  id: string;
  title: string;
  /** what a reader who does not see the picture should know */
  text: string;
  spec: TopLevelSpec;
}

/** Okabe and Ito's colours, which colour-blind readers tell apart; each reads on white and on black. */
const palette = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#8c6d31', '#7a7a7a', '#b0a000'];
const red = '#d55e00';

const width = 720;
/** A picture has no more pixels than this to show. */
const mostPointsPerWorker = 600;
const mostTokenTicks = 6;

/** Figures without anything in them are left out. */
export function figuresOf(model: ReportModel): Figure[] {
  const { loss, money, work, verification, traffic } = model;
  return [
    ...(loss.training.length + loss.validation.length > 0 ? [lossFigure(loss)] : []),
    ...(money !== null && money.rows.length > 0 ? [moneyFigure(money)] : []),
    ...(work.length > 0 ? [workFigure(model), effortFigure(verification.seconds)] : []),
    ...(traffic.some(({ up, down }) => up + down > 0) ? [trafficFigure(traffic)] : []),
  ];
}

/** The paper's Figure 6, with what happened in the market on it. */
function lossFigure({ training, validation, marks }: LossFigure): Figure {
  const lastSecond = Math.max(0, ...[training, validation, marks].map((list) => list.at(-1)?.seconds ?? 0));
  const { unit, seconds: scale } = timeUnit(lastSecond);
  const workers = [...new Set(training.map(({ worker }) => worker))].sort();
  const events = { validation: 'validation', dispute: 'dispute', slash: 'slash' } as const;
  const present = [events.dispute, events.slash].filter((kind) => marks.some((mark) => mark.kind === kind));
  const domain = [...workers, ...(validation.length > 0 ? [events.validation] : []), ...present];
  const colours: Record<string, string> = { validation: 'currentColor', dispute: red, slash: '#aa3377' };
  const range = domain.map((name) => colours[name] ?? (palette[workers.indexOf(name) % 8] as string));
  const color = { field: 'series', type: 'nominal', title: null, scale: { domain, range } } as const;
  const scaleX = { zero: true, nice: false };
  const x = { field: 'x', type: 'quantitative', title: `${unit} since the start`, scale: scaleX } as const;
  const xAgain = { ...x, axis: null } as const;
  const y = {
    field: 'loss',
    type: 'quantitative',
    title: 'loss, nats per token',
    scale: { zero: false },
  } as const;
  const steps = validation.map(({ seconds, loss, round, tokens }) => ({
    ...{ x: seconds / scale, loss, round, tokens, series: events.validation },
  }));
  const ticks = spreadOut(steps, lastSecond / scale / (mostTokenTicks + 2));
  const labels = Object.fromEntries(ticks.map((step) => [step.x, shortNumber(step.tokens)]));
  const top = {
    orient: 'top',
    title: 'tokens trained on, at outer steps',
    values: ticks.map((step) => step.x),
    labelExpr: `(${JSON.stringify(labels)})[toString(datum.value)]`,
    grid: false,
  } as const;
  const first = validation[0];
  const last = validation.at(-1);
  const marked = (kind: (typeof marks)[number]['kind'], many: string) => {
    const count = marks.filter((mark) => mark.kind === kind).length;
    return `${count} ${count === 1 ? kind : many}`;
  };
  return {
    id: 'loss',
    title: 'Training loss over time',
    text: `${training.length} inner steps of ${workers.length} workers and ${validation.length} outer steps${
      first === undefined || last === undefined
        ? ''
        : `; validation loss from ${first.loss.toFixed(4)} to ${last.loss.toFixed(4)}`
    }; marked: ${marked('dispute', 'disputes')} and ${marked('slash', 'slashes')}.`,
    spec: {
      ...frame(340),
      layer: [
        {
          data: { values: thinned(training).map((p) => ({ ...p, x: p.seconds / scale, series: p.worker })) },
          mark: { type: 'line', strokeWidth: 1, opacity: 0.75, point: { size: 6, opacity: 0.75 } },
          encoding: { x, y, color, detail: { field: 'taskId' } },
        },
        {
          data: { values: marks.map(({ seconds, kind }) => ({ x: seconds / scale, series: kind })) },
          mark: { type: 'rule', strokeWidth: 1.5, strokeDash: [6, 3] },
          encoding: { x: xAgain, color },
        },
        {
          data: { values: steps },
          mark: { type: 'rule', color: '#888888', strokeDash: [1, 3] },
          encoding: { x: { ...x, axis: top } },
        },
        {
          data: { values: steps },
          mark: { type: 'line', strokeWidth: 2.5, point: { size: 50, filled: true } },
          encoding: { x: xAgain, y, color },
        },
      ],
      resolve: { axis: { x: 'independent' } },
    },
  };
}

const moneyColumns: Exclude<Column, 'deposited'>[] = ['tasks', 'verifying', 'fees', 'slashing'];

function moneyFigure({ rows }: MoneyFlow): Figure {
  const told = rows.filter((row) => moneyColumns.some((column) => row[column] !== 0n));
  const values = told.flatMap((row) =>
    moneyColumns.map((column) => ({ name: row.name, column, amount: Number(row[column]) / 1e18 })),
  );
  return {
    id: 'money',
    title: 'Who earned and who paid',
    text: 'Tokens that each account gained (right of zero) or lost (left of it), by what for. All bars together sum to zero.',
    spec: {
      ...frame({ step: 24 }),
      data: { values },
      layer: [
        {
          mark: 'bar',
          encoding: {
            y: { field: 'name', type: 'nominal', title: null, sort: told.map(({ name }) => name) },
            x: { field: 'amount', type: 'quantitative', title: 'tokens' },
            color: {
              field: 'column',
              type: 'nominal',
              title: null,
              scale: { domain: moneyColumns, range: [palette[0], palette[2], palette[1], red] as string[] },
            },
          },
        },
        { mark: { type: 'rule', color: '#888888' }, encoding: { x: { datum: 0 } } },
      ],
    },
  };
}

const workColours = { solving: palette[0], auditing: palette[1], verifying: palette[2] };

function workFigure({ work, loss }: ReportModel): Figure {
  const lastSecond = Math.max(...work.map(({ to }) => to), ...loss.validation.map(({ seconds }) => seconds));
  const { unit, seconds: scale } = timeUnit(lastSecond);
  const processes = [...new Set(work.map(({ process }) => process))].sort();
  return {
    id: 'work',
    title: 'What the engines did',
    text: `One bar for each task solved, audited or verified by ${processes.join(', ')}.`,
    spec: {
      ...frame({ step: 26 }),
      data: { values: work.map((bar) => ({ ...bar, from: bar.from / scale, to: bar.to / scale })) },
      mark: { type: 'bar', height: 16, opacity: 0.85 },
      encoding: {
        y: { field: 'process', type: 'nominal', title: null, sort: processes },
        x: { field: 'from', type: 'quantitative', title: `${unit} since the start` },
        x2: { field: 'to' },
        color: colourOf('kind', workColours),
        // Work of milliseconds would have no width.
        stroke: colourOf('kind', workColours),
      },
    },
  };
}

function effortFigure(seconds: ReportModel['verification']['seconds']): Figure {
  const colours = { accepted: palette[0], discarded: '#999999', auditing: palette[1], verifying: palette[2] };
  const kinds = Object.keys(colours) as (keyof typeof colours)[];
  return {
    id: 'effort',
    title: 'Where engine time went',
    text: kinds.map((kind) => `${kind} ${seconds[kind].toFixed(1)} s`).join(', '),
    spec: {
      ...frame(34),
      data: { values: kinds.map((kind, order) => ({ kind, order, seconds: seconds[kind] })) },
      mark: { type: 'bar' },
      encoding: {
        x: { field: 'seconds', type: 'quantitative', title: 'engine seconds', stack: 'zero' },
        color: colourOf('kind', colours),
        order: { field: 'order', type: 'quantitative' },
      },
    },
  };
}

function trafficFigure(traffic: ReportModel['traffic']): Figure {
  const told = traffic.filter(({ up, down }) => up + down > 0);
  const values = told.flatMap(({ process, up, down }) => [
    { process, direction: 'up', megabytes: up / 1e6 },
    { process, direction: 'down', megabytes: down / 1e6 },
  ]);
  return {
    id: 'traffic',
    title: 'Traffic with the Source of Truth',
    text: told
      .map(({ process, up, down }) => `${process} ${megabytes(up)} up, ${megabytes(down)} down`)
      .join('; '),
    spec: {
      ...frame({ step: 12 }),
      data: { values },
      mark: 'bar',
      encoding: {
        y: { field: 'process', type: 'nominal', title: null },
        yOffset: { field: 'direction', type: 'nominal', sort: ['up', 'down'] },
        x: { field: 'megabytes', type: 'quantitative', title: 'MB' },
        color: colourOf('direction', { up: palette[1], down: palette[0] }),
      },
    },
  };
}

/** Text in the colour of the page around it; no background, so that a dark page stays dark. */
function frame(height: number | { step: number }) {
  const text = { labelColor: 'currentColor', titleColor: 'currentColor' };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width,
    height,
    background: 'transparent',
    padding: 4,
    config: {
      font: 'sans-serif',
      view: { stroke: '#88888866' },
      axis: { ...text, gridColor: '#88888833', domainColor: '#888888', tickColor: '#888888' },
      legend: { ...text, orient: 'bottom', symbolStrokeWidth: 3, columns: 8 },
    },
  } satisfies Partial<TopLevelSpec>;
}

function colourOf(field: string, colours: Record<string, string | undefined>) {
  const range = Object.values(colours) as string[];
  return { field, type: 'nominal', title: null, scale: { domain: Object.keys(colours), range } } as const;
}

/** Means of neighbouring steps, where a worker made more steps than a picture can show. */
function thinned(points: readonly TrainingPoint[]): TrainingPoint[] {
  const workers = new Set(points.map(({ worker }) => worker)).size;
  const bucket = Math.ceil(points.length / (mostPointsPerWorker * Math.max(1, workers)));
  if (bucket <= 1) return [...points];
  const kept = new Map<string, TrainingPoint[]>();
  for (const point of points) {
    const key = `${point.worker}/${point.taskId}/${Math.floor((point.step - 1) / bucket)}`;
    kept.set(key, [...(kept.get(key) ?? []), point]);
  }
  return [...kept.values()].map((group) => ({
    ...(group[Math.floor(group.length / 2)] as TrainingPoint),
    loss: group.reduce((sum, { loss }) => sum + loss, 0) / group.length,
  }));
}

/** Those that are at least `gap` after the one before. */
function spreadOut<T extends { x: number }>(items: readonly T[], gap: number): T[] {
  const kept: T[] = [];
  for (const item of items) {
    const before = kept.at(-1);
    if (before === undefined || item.x - before.x >= gap) kept.push(item);
  }
  return kept;
}

function timeUnit(seconds: number): { unit: string; seconds: number } {
  if (seconds < 300) return { unit: 'seconds', seconds: 1 };
  return seconds < 3 * 3600 ? { unit: 'minutes', seconds: 60 } : { unit: 'hours', seconds: 3600 };
}

/** 12800 -> 12.8k */
function shortNumber(value: number): string {
  const [unit, size] =
    value >= 1e9 ? ['G', 1e9] : value >= 1e6 ? ['M', 1e6] : value >= 1e3 ? ['k', 1e3] : ['', 1];
  return `${Number((value / size).toPrecision(3))}${unit}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
