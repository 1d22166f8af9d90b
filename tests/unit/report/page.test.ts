import { expect, test } from 'vitest';
import type { StampedEvent } from '../../../src/events/types.js';
import { figuresOf } from '../../../src/report/charts.js';
import type { TaskRow } from '../../../src/report/model.js';
import { reportPage } from '../../../src/report/page.js';
import { renderPng, renderSvg } from '../../../src/report/render.js';
import { lossCsv, summaryMarkdown, tasksCsv } from '../../../src/report/tables.js';
import { cheatedRun, modelOf } from '../../helpers/demoRun.js';

const figures = await Promise.all(
  figuresOf(modelOf(cheatedRun())).map(async (figure) => ({
    ...figure,
    svg: await renderSvg(figure.spec, figure.id),
  })),
);

test('every figure has marks, and the names inside one are not those of another', () => {
  expect(figures.map(({ id }) => id)).toEqual(['loss', 'money', 'work', 'effort', 'traffic']);
  const ids = figures.flatMap(({ svg }) => [
    ...new Set([...svg.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)),
  ]);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { svg } of figures) expect(svg).toMatch(/class="mark-(line|rect|symbol|rule)/);
  for (const name of ['worker_0', 'validation', 'dispute', 'slash', 'tokens trained on']) {
    expect(figures[0]?.svg).toContain(name);
  }
});

test('the picture of the loss is a PNG of twice the size, with letters on a machine without fonts', async () => {
  const svg = figures[0]?.svg ?? '';
  const png = await renderPng(svg);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.readUInt32BE(16)).toBe(2 * Number(/<svg[^>]*\bwidth="(\d+)/.exec(svg)?.[1]));
  const mute = await renderPng(svg.replace(/<text[^>]*>[^<]*<\/text>/g, ''));
  expect(png.length).toBeGreaterThan(mute.length + 5_000);
});

test('the page asks nothing of the outside, and what a process says is text in it', () => {
  const events = cheatedRun();
  const message = '<img src="https://example.com/x.png" onerror="alert(1)">';
  const alert = { ...(events.at(-1) as StampedEvent), type: 'alert', level: 'warn', message } as const;
  const model = modelOf([...events, alert]);
  const page = reportPage(model, figures);
  expect(page).toContain('&#60;img src=&#34;https://example.com');
  expect(page).not.toMatch(/<(img|script|iframe|object)/);
  expect([...page.matchAll(/(?:src|href)="(?!#|data:)([^"]*)"/g)].map(([, target]) => target)).toEqual([]);
  expect(page).toContain(model.command);
});

test('a run of which nothing is known but its start has a page all the same', () => {
  for (const events of [cheatedRun().slice(0, 1), []]) {
    const model = modelOf(events);
    expect(figuresOf(model)).toEqual([]);
    expect(reportPage(model, [])).toContain('No outer step was made');
    expect(summaryMarkdown(model)).not.toMatch(/NaN|undefined/);
  }
});

test('the tables hold every inner step and every task, and commas and quotes survive', () => {
  const model = modelOf(cheatedRun());
  const loss = lossCsv(model).trim().split('\n');
  const steps = cheatedRun().filter(({ type }) => type === 'train.step' || type === 'outer.step');
  expect(loss).toHaveLength(1 + steps.length);
  expect(loss[0]).toBe('kind,seconds,process,round,slot,step,task,loss,tokens');
  expect(tasksCsv(model).trim().split('\n')).toHaveLength(1 + model.summary.tasks.posted);
  const odd = { ...(model.tasks[0] as TaskRow), solver: 'a "b", c' };
  expect(tasksCsv({ ...model, tasks: [odd] })).toContain('"a ""b"", c"');
});
