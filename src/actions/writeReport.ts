/** The report of a run, into its folder: from the journal and the summary, during the run or long after. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileWhole } from '../data/files.js';
import { PanthaliaError } from '../errors.js';
import { readJournal } from '../events/journal.js';
import { emptyRun, project } from '../events/projection.js';
import { type RunSummary, summarise } from '../events/summary.js';
import type { StampedEvent } from '../events/types.js';
import { reportModel } from '../report/buildModel.js';
import { figuresOf } from '../report/charts.js';
import { reportPage } from '../report/page.js';
import { renderPng, renderSvg } from '../report/render.js';
import { lossCsv, summaryMarkdown, tasksCsv } from '../report/tables.js';
import type { RunFolder } from './runFolder.js';

/** Writes report.html, loss.png (when there is a loss), loss.csv, tasks.csv and summary.md; returns their paths, the page first.
 *  out: the folder to write to; default: the run's
 *  throws notFound/journal.not_found, notFound/journal.empty, check/journal.broken, and what writing throws */
export async function writeReport(folder: RunFolder, out: string = folder.path): Promise<string[]> {
  const events = readJournal(folder.journal);
  if (events.length === 0) throw nothingTold(folder);
  const model = reportModel(events, summaryOf(folder, events));
  const figures = await Promise.all(
    figuresOf(model).map(async (figure) => ({ ...figure, svg: await renderSvg(figure.spec, figure.id) })),
  );
  const loss = figures.find(({ id }) => id === 'loss');
  const files: [string, string | Buffer][] = [
    ['report.html', reportPage(model, figures)],
    ...(loss === undefined ? [] : [['loss.png', await renderPng(loss.svg)] as [string, Buffer]]),
    ['loss.csv', lossCsv(model)],
    ['tasks.csv', tasksCsv(model)],
    ['summary.md', summaryMarkdown(model)],
  ];
  const paths = files.map(([name]) => join(out, name));
  for (const [i, [, content]] of files.entries()) await writeFileWhole(paths[i] as string, content);
  return paths;
}

function nothingTold({ journal }: RunFolder): PanthaliaError {
  return new PanthaliaError('notFound', `There is nothing to report: ${journal} has no event in it.`, {
    code: 'journal.empty',
    details: { path: journal },
    next: 'panthalia report RUN, of a run that has begun',
  });
}

/** As the run wrote it; from the events when it is still running, or was killed before it could. */
function summaryOf({ summary }: RunFolder, events: readonly StampedEvent[]): RunSummary {
  if (existsSync(summary)) return parsed(summary);
  const view = events.reduce(project, emptyRun());
  const endedAt = view.endedAt ?? events.at(-1)?.t ?? null;
  return { ...summarise({ ...view, endedAt }, null), outcome: view.outcome ?? 'unfinished' };
}

/** throws check/summary.broken */
function parsed(path: string): RunSummary {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new PanthaliaError('check', `${path} is no summary of a run: ${(cause as Error).message}.`, {
      code: 'summary.broken',
      details: { path },
      next: `rm ${path}: the report makes the summary from the journal`,
      cause,
    });
  }
}
