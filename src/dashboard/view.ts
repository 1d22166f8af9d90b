/** What is looked at and how: selection, panel, scrolling, search, questions. Pure: a key gives a new view, and perhaps
 *  something to do. */
import type { Level } from '../events/types.js';
import { type Ability, type Action, bindingOf } from './keys.js';
import { type Line, linesOf } from './lineLog.js';
import { isFinished, type TaskModel } from './market.js';
import { type DashboardModel, processList } from './model.js';
import type { ProcessModel } from './process.js';

export const panels = ['log', 'loss', 'tasks', 'disputes', 'stakes'] as const;
export type Panel = (typeof panels)[number];

export interface View {
  /** name; null: the first in the list */
  selected: string | null;
  panel: Panel;
  isZoomed: boolean;
  /** number of the last line shown; null follows the newest */
  until: number | null;
  /** lines there were when following was turned off */
  seen: number;
  level: 'debug' | 'info' | 'warn';
  clock: 'day' | 'start' | 'off';
  search: Search | null;
  /** of the table in `tasks` and `disputes` */
  tableRow: number;
  isHelpOpen: boolean;
  question: Question | null;
}

export interface Search {
  text: string;
  isTyping: boolean;
  /** number of the line that was found last */
  match: number | null;
}

export interface Question {
  lines: readonly string[];
  effect: Effect;
}

/** What a view can not do by itself. */
export type Effect =
  | {
      do:
        | 'quit'
        | 'quitNow'
        | 'leave'
        | 'suspend'
        | 'stream'
        | 'save'
        | 'pause'
        | 'faster'
        | 'slower'
        | 'backward'
        | 'forward';
    }
  | { do: 'pager' | 'stopWorker'; process: string }
  | { do: 'dispute'; taskId: string }
  | { do: 'copy' | 'tell'; text: string };

export interface Situation {
  model: DashboardModel;
  abilities: ReadonlySet<Ability>;
  /** lines of the log that are shown */
  logRows: number;
  /** of a dispute, as the caller knows them */
  disputeCosts: readonly string[];
}

export interface Pressed {
  view: View;
  effect?: Effect;
}

export const firstView: View = {
  ...{ selected: null, panel: 'log', isZoomed: false, until: null, seen: 0 },
  ...{ level: 'debug', clock: 'day', search: null, tableRow: 0, isHelpOpen: false, question: null },
};

export function selectedProcess(model: DashboardModel, { selected }: View): ProcessModel | undefined {
  const list = processList(model);
  return list.find(({ name }) => name === selected) ?? list[0];
}

/** Lines of the selected log with their numbers, from the level on. */
export function shownLines(model: DashboardModel, view: View): { number: number; line: Line }[] {
  const log = selectedProcess(model, view)?.log;
  if (log === undefined) return [];
  const numbered = linesOf(log).map((line, i) => ({ number: log.dropped + i, line }));
  return view.level === 'debug' ? numbered : numbered.filter(({ line }) => isFrom(view.level, line.level));
}

/** Tasks as the table lists them: running ones first, each group newest first. */
export function taskRows({ market }: DashboardModel): TaskModel[] {
  const tasks = [...market.tasks.values()].reverse();
  return [...tasks.filter((task) => !isFinished(task)), ...tasks.filter(isFinished)];
}

/** The view after a key.  key: as `keyNames` gives it */
export function press(view: View, key: string, situation: Situation): Pressed {
  // The terminal's own key, even in the middle of a question.
  if (key === 'ctrl-z') return { view, effect: { do: 'suspend' } };
  if (view.question !== null) return answer(view, view.question, key);
  if (view.search?.isTyping && key !== 'ctrl-c') return { view: type(view, view.search, key, situation) };
  const binding = bindingOf(key, situation.abilities);
  const open = { ...view, isHelpOpen: false };
  // Any key closes the help; one that leaves also leaves.
  if (view.isHelpOpen && binding?.group !== 'leave') return { view: open };
  return binding === undefined ? { view } : act(open, binding.action, key, situation);
}

function answer(view: View, question: Question, key: string): Pressed {
  const closed = { ...view, question: null };
  if (key === 'y' || key === 'Y') return { view: closed, effect: question.effect };
  if (key === 'ctrl-c') return { view: closed, effect: { do: 'quit' } };
  return { view: closed };
}

function type(view: View, search: Search, key: string, situation: Situation): View {
  if (key === 'escape') return { ...view, search: null };
  if (key === 'backspace') return { ...view, search: { ...search, text: search.text.slice(0, -1) } };
  if (key === 'enter') {
    if (search.text === '') return { ...view, search: null };
    return find({ ...view, search: { ...search, isTyping: false, match: null } }, 'older', situation);
  }
  return [...key].length === 1 ? { ...view, search: { ...search, text: search.text + key } } : view;
}

function act(view: View, action: Action, key: string, situation: Situation): Pressed {
  const { model, logRows } = situation;
  switch (action) {
    case 'previous':
    case 'next':
      return { view: step(view, action === 'next' ? 1 : -1, model) };
    case 'choose':
      return { view: choose(view, processList(model)[Number(key) - 1]) };
    case 'pageUp':
      return { view: scroll(view, -Math.max(1, logRows - 1), model) };
    case 'pageDown':
      return { view: scroll(view, Math.max(1, logRows - 1), model) };
    case 'first':
      return { view: stand(view, shownLines(model, view)[Math.max(0, logRows - 1)]?.number, model) };
    case 'last':
      return { view: { ...view, until: null } };
    case 'follow':
      return {
        view: view.until === null ? stand(view, lastNumber(model, view), model) : { ...view, until: null },
      };
    case 'search':
      return { view: { ...view, panel: 'log', search: { text: '', isTyping: true, match: null } } };
    case 'nextMatch':
      return { view: find(view, 'older', situation) };
    case 'previousMatch':
      return { view: find(view, 'newer', situation) };
    case 'level':
      return { view: { ...view, level: after(view.level, ['debug', 'info', 'warn']), until: null } };
    case 'clock':
      return { view: { ...view, clock: after(view.clock, ['day', 'start', 'off']) } };
    case 'copy':
      return copy(view, model);
    case 'nextPanel':
      return { view: { ...view, panel: after(view.panel, panels), tableRow: 0 } };
    case 'previousPanel':
      return { view: { ...view, panel: after(view.panel, [...panels].reverse()), tableRow: 0 } };
    case 'zoom':
      return { view: { ...view, isZoomed: !view.isZoomed } };
    case 'back':
      return {
        view: { ...view, search: null, isZoomed: false, until: view.search === null ? view.until : null },
      };
    case 'help':
      return { view: { ...view, isHelpOpen: true } };
    case 'pager':
    case 'stopWorker':
      return onProcess(view, action, model);
    case 'dispute':
      return dispute(view, situation);
    default:
      return { view, effect: { do: action } };
  }
}

/** Up and down wrap around, as on the paper's screen; in a table they move between its rows. */
function step(view: View, by: number, model: DashboardModel): View {
  if (view.panel === 'tasks' || view.panel === 'disputes') {
    const count = view.panel === 'tasks' ? model.market.tasks.size : model.market.disputes.size;
    return { ...view, tableRow: count === 0 ? 0 : (view.tableRow + by + count) % count };
  }
  const list = processList(model);
  const at = list.findIndex(({ name }) => name === selectedProcess(model, view)?.name);
  return choose(view, list[(at + by + list.length) % list.length]);
}

function choose(view: View, process: ProcessModel | undefined): View {
  if (process === undefined || process.name === view.selected) return view;
  const search = view.search === null ? null : { ...view.search, match: null };
  return { ...view, selected: process.name, until: null, search };
}

function lastNumber(model: DashboardModel, view: View): number | undefined {
  return shownLines(model, view).at(-1)?.number;
}

function stand(view: View, until: number | undefined, model: DashboardModel): View {
  if (until === undefined) return view;
  const total = selectedProcess(model, view)?.log.total ?? 0;
  return { ...view, until, seen: view.until === null ? total : view.seen };
}

function scroll(view: View, by: number, model: DashboardModel): View {
  const lines = shownLines(model, view);
  const last = lines.length - 1;
  const at = view.until === null ? last : indexUntil(lines, view.until);
  const to = at + by;
  if (to >= last) return { ...view, until: null };
  return stand(view, lines[Math.max(0, to)]?.number, model);
}

/** Index of the last of the lines whose number is at most `until`. */
export function indexUntil(lines: readonly { number: number }[], until: number): number {
  const after = lines.findIndex(({ number }) => number > until);
  return (after === -1 ? lines.length : after) - 1;
}

/** The next match from the one found last, or from the end of what is shown; it is brought to the middle. */
function find(view: View, direction: 'older' | 'newer', { model, logRows }: Situation): View {
  const { search } = view;
  if (search === null || search.text === '') return view;
  const lines = shownLines(model, view);
  const from = search.match ?? (view.until ?? Number.POSITIVE_INFINITY) + 1;
  const candidates =
    direction === 'older'
      ? lines.filter(({ number }) => number < from).reverse()
      : lines.filter(({ number }) => number > from);
  const found = candidates.find(({ line }) => matchIn(line.text, search.text) >= 0);
  if (found === undefined) return view;
  const at = lines.indexOf(found);
  const until = lines[Math.min(lines.length - 1, at + Math.floor(logRows / 2))]?.number;
  return { ...stand(view, until, model), search: { ...search, match: found.number } };
}

/** Where the text is found, without regard to case unless it has capitals; -1 when it is not. */
export function matchIn(line: string, wanted: string): number {
  if (wanted === '') return -1;
  const isExact = wanted !== wanted.toLowerCase();
  return isExact ? line.indexOf(wanted) : line.toLowerCase().indexOf(wanted);
}

function copy(view: View, model: DashboardModel): Pressed {
  const lines = shownLines(model, view);
  const wanted = view.search?.match ?? view.until;
  const line = wanted === null ? lines.at(-1) : lines[indexUntil(lines, wanted)];
  return line === undefined ? { view } : { view, effect: { do: 'copy', text: line.line.text } };
}

function onProcess(view: View, action: 'pager' | 'stopWorker', model: DashboardModel): Pressed {
  const process = selectedProcess(model, view);
  if (process === undefined) return { view };
  const effect: Effect = { do: action, process: process.name };
  if (action === 'pager') return { view, effect };
  if (!process.isWorker || (process.life !== 'ready' && process.life !== 'starting')) {
    return { view, effect: { do: 'tell', text: `${process.name} is no running worker.` } };
  }
  const lines = [
    `Stop ${process.name}?`,
    'It finishes what it has begun and leaves. The run goes on without it; its stake stays on chain.',
  ];
  return { view: { ...view, question: { lines, effect } } };
}

/** It spends tokens, so it is asked first. */
function dispute(view: View, { model, disputeCosts }: Situation): Pressed {
  const task = view.panel === 'tasks' ? taskRows(model)[view.tableRow] : undefined;
  if (task === undefined) {
    return {
      view: { ...view, panel: 'tasks', tableRow: 0 },
      effect: { do: 'tell', text: 'Select the task, then d.' },
    };
  }
  if (task.state !== 'submitted' && task.state !== 'disputed') {
    return { view, effect: { do: 'tell', text: `A task that is ${task.state} has no result to dispute.` } };
  }
  const solver = model.names.get(task.solver ?? '') ?? task.solver ?? 'nobody';
  const lines = [
    `Dispute task ${task.taskId.slice(0, 10)} (round ${task.round} slot ${task.slot}) of ${solver}?`,
    ...disputeCosts,
  ];
  return { view: { ...view, question: { lines, effect: { do: 'dispute', taskId: task.taskId } } } };
}

const ranks: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };

function isFrom(level: Level, other: Level): boolean {
  return ranks[other] >= ranks[level];
}

function after<T>(value: T, all: readonly T[]): T {
  return all[(all.indexOf(value) + 1) % all.length] as T;
}
