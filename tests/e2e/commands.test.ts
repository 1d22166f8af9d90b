import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, temporaryFolder } from '../helpers/cli.js';
import { demoJournal } from '../helpers/demoRun.js';

/** A folder to type commands in, with a run that is over. */
function folderWithRun(): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'runs/demo-1'), { recursive: true });
  copyFileSync(demoJournal, join(cwd, 'runs/demo-1/journal.jsonl'));
  return cwd;
}

const dataOf = (line: string | undefined) => JSON.parse(line ?? 'null').data;

test('a run is asked after: tasks, a task, why, logs, and its report written again', async () => {
  const cwd = folderWithRun();
  const here = ['--run', 'demo-1'];
  const [tasks, worker, all, logs, report] = await Promise.all([
    runCli(['tasks', ...here, '--state', 'rejected', '--json'], { cwd }),
    runCli(['why', 'worker_2', ...here], { cwd }),
    runCli(['tasks', ...here], { cwd }),
    runCli(['logs', 'worker_2', ...here, '-n', '3'], { cwd }),
    runCli(['report', 'demo-1', '--out', 'written'], { cwd }),
  ]);
  const [task] = dataOf(tasks.out[0]).tasks;
  expect(task).toMatchObject({ state: 'rejected', solver: 'worker_2' });
  expect(worker.out.join('\n')).toContain('-30  bounty        worker_2 (stake) -> ');
  expect(all.out).toHaveLength(1 + 9);
  expect(logs.out).toHaveLength(3);
  expect(report.out[0]).toBe('written/report.html');
  expect(readdirSync(join(cwd, 'written')).sort()).toEqual([
    ...['loss.csv', 'loss.png', 'report.html', 'summary.md', 'tasks.csv'],
  ]);

  const [story, reasons] = await Promise.all([
    runCli(['task', task.taskId.slice(0, 12), ...here], { cwd }),
    runCli(['why', task.taskId, ...here, '--json'], { cwd }),
  ]);
  expect(story.out.join('\n')).toMatch(/panel +ruling +seat +verifier +vote/);
  const burned = dataOf(reasons.out[0]).payments.filter(
    ({ reason }: { reason: string }) => reason === 'burn',
  );
  expect(burned.map(({ amount }: { amount: string }) => amount)).toEqual(['30']);
});

test.each([
  [['task', '0xffffffff', '--run', 'demo-1'], 11, 'task.not_found'],
  [['task', '0xzz', '--run', 'demo-1'], 2, 'task.bad_id'],
  [['why', 'worker_9', '--run', 'demo-1'], 11, 'why.unknown'],
  [['logs', 'wroker_1', '--run', 'demo-1'], 11, 'logs.no_process'],
  [['tasks', '--run', 'demo-2'], 11, 'run.not_found'],
  [['tasks', '--deployment', 'nowhere.json'], 3, 'deployment.unreadable'],
  [['simulat'], 2, 'usage'],
])('%j ends with %i, and the next thing to try', async (args, code, name) => {
  const { code: received, out, err } = await runCli([...args, '--json'], { cwd: folderWithRun() });
  const told = JSON.parse(out.at(-1) ?? 'null');
  expect([received, told.errors[0].code]).toEqual([code, name]);
  expect(err.join('\n')).toContain('next: ');
});

test('whose log there is none of is told who took part, and each by one name', async () => {
  const { err } = await runCli(['logs', 'wroker_1', '--run', 'demo-1'], { cwd: folderWithRun() });
  const everybody = 'anvil, chain, master, simulate, sot, worker_0, worker_1, worker_2, worker_3';
  expect(err).toEqual([
    `No process wroker_1 took part in this run; there are ${everybody}.`,
    'next: panthalia logs worker_1',
  ]);
});

test('config show tells where each setting came from', async () => {
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'mine.json'),
    JSON.stringify({ innerSteps: 9, chain: { blockSeconds: 2 }, workers: 6 }),
  );
  const flags = ['--config', 'mine.json', '--workers', '8', '--origin', '--json'];
  const { out } = await runCli(['config', 'show', ...flags], { cwd, env: { PANTHALIA_ROUNDS: '3' } });
  const settings = new Map(
    dataOf(out[0]).settings.map(({ key, value, origin }: Record<string, unknown>) => [key, [value, origin]]),
  );
  expect(settings.get('workers')).toEqual([8, 'flag --workers']);
  expect(settings.get('rounds')).toEqual([3, 'environment PANTHALIA_ROUNDS']);
  expect(settings.get('innerSteps')).toEqual([9, 'file mine.json']);
  expect(settings.get('chain.blockSeconds')).toEqual([2, 'file mine.json']);
  expect(settings.get('seed')).toEqual([1337, 'preset tiny']);
});

test('bash completes commands, subcommands, flags and choices', async () => {
  const { out } = await runCli(['completion', 'bash']);
  const complete = (...words: string[]) => {
    const script = `${out.join('\n')}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _panthalia; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' }).trim();
  };
  expect(complete('panthalia', 'sim')).toBe('simulate');
  expect(complete('panthalia', 'wallet', 'n')).toBe('new');
  expect(complete('panthalia', 'simulate', '--opset', '')).toBe('canon-f32-v1 torch');
  expect(complete('panthalia', 'task', '0x12', '--ru')).toBe('--run');
});

test('whoever follows a run that was killed is told so, and a run that told nothing has no report', async () => {
  const cwd = folderWithRun();
  mkdirSync(join(cwd, 'runs/killed'));
  const lines = readFileSync(demoJournal, 'utf8').trimEnd().split('\n');
  expect(lines.at(-1)).toContain('"run.ended"');
  writeFileSync(join(cwd, 'runs/killed/journal.jsonl'), `${lines.slice(0, -1).join('\n')}\n`);
  mkdirSync(join(cwd, 'runs/silent'));
  writeFileSync(join(cwd, 'runs/silent/journal.jsonl'), '');
  const [followed, watched, reported] = await Promise.all([
    runCli(['logs', '-f', '-n', '1', '--run', 'killed'], { cwd }),
    runCli(['watch', 'killed', '--ui', 'plain'], { cwd }),
    runCli(['report', 'silent', '--json'], { cwd }),
  ]);
  expect([followed.code, followed.out.length]).toEqual([0, 1]);
  expect(followed.err.at(-1)).toBe('Run killed was killed before it could tell its end: nothing more comes.');
  expect([watched.code, watched.err.at(-1)]).toEqual([0, followed.err.at(-1)]);
  const [error] = JSON.parse(reported.out.at(-1) ?? 'null').errors;
  expect([reported.code, error.code]).toEqual([11, 'journal.empty']);
  expect(readdirSync(join(cwd, 'runs/silent'))).toEqual(['journal.jsonl']);
});

test('clean asks, keeps the newest and the running, and removes the rest', async () => {
  const cwd = folderWithRun();
  for (const id of ['20260101-000000-aaaa', '20260102-000000-bbbb']) {
    mkdirSync(join(cwd, 'runs', id, 'logs'), { recursive: true });
  }
  mkdirSync(join(cwd, 'runs/notes of mine'));
  symlinkSync('20260102-000000-bbbb', join(cwd, 'runs/latest'));
  const present = () => readdirSync(join(cwd, 'runs')).sort();
  const declined = await runCli(['clean', '--keep', '1'], { cwd });
  expect(declined.code).toBe(14);
  const dry = await runCli(['clean', '--keep', '1', '--dry-run', '--json'], { cwd });
  expect(dataOf(dry.out[0]).remove).toHaveLength(2);
  expect(present()).toHaveLength(5);
  expect((await runCli(['clean', '--keep', '1', '--yes'], { cwd })).code).toBe(0);
  expect(present()).toEqual(['demo-1', 'notes of mine']);
  expect(existsSync(join(cwd, 'runs/demo-1/journal.jsonl'))).toBe(true);
});
