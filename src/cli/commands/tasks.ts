import { Command } from 'commander';
import type { TaskRow } from '../../report/model.js';
import type { CommandIo } from '../io.js';
import { type SourceFlags, sourceOf, withSourceOptions } from '../options.js';
import { result } from '../result.js';
import { textTable } from '../table.js';

interface TasksFlags extends SourceFlags {
  state?: string;
  solver?: string;
}

const examples = `Examples:
  panthalia tasks                           of the latest run
  panthalia tasks --state disputed
  panthalia tasks --solver worker_2 --run runs/20261122-051733-3fa9
`;

export function tasksCommand(io: CommandIo): Command {
  const command = new Command('tasks')
    .description('list the tasks of a run or a deployment')
    .option('--state <state>', 'only those that are open, accepted, rejected, disputed, ...')
    .option('--solver <name>', 'only those of this worker or address')
    .addHelpText('before', examples)
    .action((flags: TasksFlags) => list(flags, io));
  return withSourceOptions(command);
}

async function list(flags: TasksFlags, io: CommandIo): Promise<void> {
  const { state, solver, json } = flags;
  const { listTasks } = await import('../../actions/tellTask.js');
  const filter = { ...(state === undefined ? {} : { state }), ...(solver === undefined ? {} : { solver }) };
  const tasks = await listTasks(sourceOf(flags), filter, io.signal);
  io.print(json ? result({ tasks }) : tasksText(tasks));
}

function tasksText(tasks: readonly TaskRow[]): string {
  if (tasks.length === 0) return 'no tasks';
  const loss = ({ firstLoss, lastLoss }: TaskRow) =>
    firstLoss === null || lastLoss === null ? '-' : `${firstLoss.toFixed(3)} -> ${lastLoss.toFixed(3)}`;
  return textTable(
    ['task', 'round', 'slot', 'state', 'attempt', 'solver', 'loss', 'audits', 'disputer'],
    tasks.map((task) => [
      ...[task.taskId.slice(0, 10), String(task.round), String(task.slot), task.state, String(task.attempt)],
      ...[task.solver ?? '-', loss(task), String(task.audits.length), task.disputer ?? '-'],
    ]),
  );
}
