/** The list of processes: star, name, state letter, and what can be said in a few columns. */
import { plural } from '../../events/plural.js';
import { duration, short, tokens } from '../format.js';
import { type DashboardModel, processList } from '../model.js';
import { type Activity, activityOf, type ProcessModel } from '../process.js';
import { clip, clipRow, left, type Row, right, row, type Span, type Style, span } from '../text.js';
import { selectedProcess, type View } from '../view.js';

/** S staking or starting, I idle, D and U down- and uploading, T training, V verifying, R running, ! slashed, E ended, X dead */
const stateLetters: Record<Activity, { letter: string; style: Style }> = {
  starting: { letter: 'S', style: { color: 'yellow' } },
  staking: { letter: 'S', style: { color: 'yellow' } },
  idle: { letter: 'I', style: { dim: true } },
  download: { letter: 'D', style: { color: 'blue' } },
  train: { letter: 'T', style: { color: 'green' } },
  upload: { letter: 'U', style: { color: 'blue' } },
  verify: { letter: 'V', style: { color: 'magenta' } },
  running: { letter: 'R', style: { color: 'green' } },
  slashed: { letter: '!', style: { color: 'red', bold: true } },
  ended: { letter: 'E', style: { dim: true } },
  dead: { letter: 'X', style: { color: 'red', bold: true } },
};

export interface ListOptions {
  columns: number;
  rows: number;
  nowMs: number;
}

/** The part of the list around the selection that fits; a wide one has a head with the names of its columns. */
export function processRows(model: DashboardModel, view: View, { columns, rows, nowMs }: ListOptions): Row[] {
  const list = processList(model);
  const selected = selectedProcess(model, view);
  const nameColumns = Math.min(12, Math.max(8, ...list.map(({ name }) => name.length)));
  const at = Math.max(0, selected === undefined ? 0 : list.indexOf(selected));
  const from = Math.max(0, Math.min(at - Math.floor(rows / 2), list.length - rows));
  return list.slice(from, from + rows).map((process) => {
    const isSelected = process === selected;
    const activity = activityOf(process);
    const isAlive = process.life === 'ready' || process.life === 'starting';
    const { letter, style } = stateLetters[activity];
    const color = isAlive ? 'green' : activity === 'dead' ? 'red' : 'gray';
    const name = span(left(process.name, nameColumns), { color, bold: isSelected });
    const head: Row = [span(` ${isSelected ? '*' : ' '} `, { bold: true }), name, span(` ${letter} `, style)];
    const free = columns - 3 - nameColumns - 3;
    const rest =
      columns >= wideColumns
        ? wideDetail(model, process, nowMs, free)
        : narrowDetail(model, process, nowMs, free);
    return clipRow([...head, ...rest], columns);
  });
}

const wideColumns = 40;

function narrowDetail(model: DashboardModel, process: ProcessModel, nowMs: number, columns: number): Span[] {
  const { solving, sinceMs } = process;
  const activity = activityOf(process);
  const since = duration(nowMs - sinceMs);
  const texts: Record<Activity, string> = {
    ...{ starting: 'starting', staking: 'staking', ended: 'ended', dead: 'dead', slashed: 'slashed' },
    ...{ idle: `idle ${since}`, verify: `check ${since}`, running: service(model, process, 'short') },
    ...{ download: 'pulling', train: stepText(solving), upload: 'pushing' },
  };
  const { style } = stateLetters[activity];
  const isSaid = activity === 'slashed' || activity === 'dead';
  return [span(right(texts[activity], columns), isSaid ? style : activity === 'idle' ? { dim: true } : {})];
}

function wideDetail(model: DashboardModel, process: ProcessModel, nowMs: number, columns: number): Span[] {
  const activity = activityOf(process);
  if (!process.isWorker) return [span(left(service(model, process, 'long'), columns))];
  const { style } = stateLetters[activity];
  if (activity === 'idle' || activity === 'staking' || activity === 'slashed') {
    const reason = activity === 'idle' ? `: ${process.idleReason ?? 'between tasks'}` : '';
    const stake = right(whole(process.staked), 5);
    const text = left(`${activity} ${duration(nowMs - process.sinceMs)}${reason}`, columns - 6);
    return [span(text, activity === 'idle' ? { dim: true } : style), span(` ${stake}`)];
  }
  const loss = process.loss === null ? '-' : process.loss.toFixed(2);
  const speed = process.tokensPerSec === null ? '-' : short(process.tokensPerSec);
  const word = left(activity, columns - 27);
  return [
    span(word, style),
    span(right(stepText(process.solving), 9)),
    span(right(loss, 6), { color: 'cyan' }),
    span(right(speed, 6)),
    span(right(whole(process.staked), 6)),
  ];
}

function stepText(solving: ProcessModel['solving']): string {
  return solving === null ? '-' : `${solving.step}/${solving.innerSteps}`;
}

function service(
  { market, facts, version, transactions }: DashboardModel,
  process: ProcessModel,
  how: 'short' | 'long',
) {
  const isLong = how === 'long';
  const open = [...market.tasks.values()].filter(
    ({ state }) => state === 'open' || state === 'assigned',
  ).length;
  if (process.life !== 'ready') return process.life;
  if (process.name === 'anvil')
    return isLong ? `block ${market.block}, ${transactions} transactions` : `blk ${market.block}`;
  if (process.name === 'master') {
    const rounds = `outer ${version}/${facts.rounds}`;
    return isLong ? `${rounds}, ${plural(open, 'task')} ${open === 1 ? 'waits' : 'wait'}` : rounds;
  }
  if (process.name === 'sot') return isLong ? `model v${version}` : `v${version}`;
  return 'running';
}

function whole(amount: bigint): string {
  return tokens(amount).toFixed(0);
}

/** Why the selected process does nothing, or what is wrong with it; up to `rows` rows, for lists with no room for it. */
export function whyRows(model: DashboardModel, view: View, { columns, rows, nowMs }: ListOptions): Row[] {
  const process = selectedProcess(model, view);
  if (process === undefined) return [];
  const text = why(process, nowMs);
  return wrap(text, columns - 1)
    .slice(0, rows)
    .map((line) => row(span(` ${line}`, { dim: true })));
}

function why(process: ProcessModel, nowMs: number): string {
  const activity = activityOf(process);
  const since = duration(nowMs - process.sinceMs);
  if (activity === 'idle') return `${process.idleReason ?? 'between tasks'} for ${since}`;
  if (activity === 'verify') return `re-executes ${process.checking.map((id) => id.slice(0, 10)).join(' ')}`;
  if (activity === 'slashed') return `lost ${whole(process.slashed)}, ${process.fault ?? 'convicted'}`;
  if (activity === 'dead') return `gone for ${since}`;
  if (process.restarts > 0) return `started again ${plural(process.restarts, 'time')}`;
  return process.fault === null ? '' : `misbehaves: ${process.fault}`;
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(clip(word, columns));
  }
  return lines;
}
