import { Command } from 'commander';
import type { TaskAnswer } from '../../actions/tellTask.js';
import type { CommandIo } from '../io.js';
import { type SourceFlags, sourceOf, taskId, withSourceOptions } from '../options.js';
import { paymentLines } from '../payments.js';
import { result } from '../result.js';
import { textTable } from '../table.js';

const examples = `Examples:
  panthalia task 0x1a2b3c4d                 its first digits are enough
  panthalia task 0x1a2b3c4d --json
`;

export function taskCommand(io: CommandIo): Command {
  const command = new Command('task')
    .description('what happened to one task: draws, steps, audits, panels, payments')
    .argument('<taskId>', 'or its first digits, as panthalia tasks lists them')
    .addHelpText('before', examples)
    .action((id: string, flags: SourceFlags) => tell(id, flags, io));
  return withSourceOptions(command);
}

async function tell(id: string, flags: SourceFlags, io: CommandIo): Promise<void> {
  const given = taskId(id);
  const { tellTask } = await import('../../actions/tellTask.js');
  const answer = await tellTask(sourceOf(flags), given, io.signal);
  io.print(flags.json ? result(answer) : taskText(answer));
}

export function taskText(answer: TaskAnswer): string {
  const { task, postedBefore, postedAgain, disputes, timeline, payments } = answer;
  const {
    taskId: id,
    round,
    slot,
    state,
    attempt,
    solver,
    price,
    firstLoss,
    lastLoss,
    computeSeconds,
    check,
  } = task;
  const panels = disputes.flatMap((dispute) => dispute.panels);
  const seats = panels.flatMap(({ panel, ruling, seats: all }) =>
    all.map(({ seat, voter, vote, got, lost }) => [
      String(panel),
      ruling,
      String(seat),
      voter,
      vote,
      got,
      lost,
    ]),
  );
  return [
    `task     ${id}`,
    `place    round ${round}, slot ${slot}`,
    `state    ${state}${attempt > 1 ? `, attempt ${attempt}` : ''}`,
    ...(postedBefore === null ? [] : [`before   task ${postedBefore}`]),
    ...(postedAgain === null ? [] : [`again    task ${postedAgain}`]),
    `solver   ${solver ?? 'nobody was drawn'}`,
    `price    ${price}`,
    ...(firstLoss === null || lastLoss === null
      ? []
      : [`loss     ${firstLoss.toFixed(4)} -> ${lastLoss.toFixed(4)}`]),
    ...(computeSeconds === null ? [] : [`compute  ${computeSeconds.toFixed(1)} s`]),
    ...(check === null ? [] : [`check    by ${check.by}: ${checkText(check.outcome)}`]),
    ...disputes.map(
      ({ disputer, step, verdict }) => `dispute  by ${disputer}: step ${step} is wrong; ${verdict}`,
    ),
    '',
    ...timeline.map(
      ({ seconds, src, text }) => `${seconds.toFixed(1).padStart(8)} s  ${src.padEnd(9)} ${text}`,
    ),
    ...(seats.length === 0
      ? []
      : ['', textTable(['panel', 'ruling', 'seat', 'verifier', 'vote', 'share', 'bond lost'], seats)]),
    ...(payments.length === 0 ? [] : ['', ...paymentLines(payments)]),
  ].join('\n');
}

/** Of a check that ended, how; of one that goes on, whose move it is. */
function checkText(outcome: string): string {
  const texts: Record<string, string> = {
    commit: 'looks at it',
    answer: 'has looked; the solver is asked what its trace is made of',
    reveal: 'has looked; the solver has answered',
    dispute: 'has seen something else than the solver says',
    drawing: 'did not come; another one is drawn',
    passed: 'passed',
    rejected: 'the task was rejected',
    moot: 'moot, the task ended first',
    silent: 'the solver did not show what its trace is made of',
    checkerFailed: 'the checker was wrong, or did not come back',
    unchecked: 'nobody came',
  };
  return texts[outcome] ?? outcome;
}
