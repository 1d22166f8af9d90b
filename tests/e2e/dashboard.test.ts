import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { readJournal } from '../../src/events/journal.js';
import { processesNaming, runCli, temporaryFolder } from '../helpers/cli.js';
import { eventually } from '../helpers/processes.js';
import { recordedEvents, recordedJournal } from '../helpers/recordedRun.js';
import { maskedAges, openTerminal, type Terminal } from '../helpers/terminal.js';

/** A folder with the recorded run, as `simulate` leaves it. */
function recordedFolder(): string {
  const folder = join(temporaryFolder(), 'demo');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  writeFileSync(join(folder, 'journal.jsonl'), readFileSync(recordedJournal));
  writeFileSync(join(folder, 'logs', 'worker_0.log'), 'the whole log of worker_0\n');
  return folder;
}

const isDrawn = (screen: string) =>
  screen.includes('PANTHALIA SIMULATOR V0') && screen.includes('Latest Loss: 4.6');

/** The terminal is as the shell gave it: its screen, its cursor, whole lines with echo. */
async function expectWhole(terminal: Terminal, code: number): Promise<void> {
  const exit = await terminal.exited;
  expect(exit.code).toBe(code);
  expect(terminal.isAlternate()).toBe(false);
  expect(terminal.isCursorShown()).toBe(true);
  expect(terminal.history()).toContain('a shell was here');
  expect(exit.settings).toMatch(/(^| )icanon .* echo /);
}

test.each([
  [80, 24],
  [160, 48],
])('watch draws the stored screen at %ix%i and gives the terminal back after q', async (columns, rows) => {
  const terminal = openTerminal(['watch', recordedFolder()], { columns, rows });
  const screen = maskedAges(await terminal.until('the run', isDrawn));
  const path = join(import.meta.dirname, '../fixtures/screens', `watch-${columns}x${rows}.txt`);
  if (process.env.UPDATE_SCREENS === '1') writeFileSync(path, `${screen}\n`);
  expect(`${screen}\n`).toBe(readFileSync(path, 'utf8'));
  expect(terminal.isAlternate()).toBe(true);
  // Ink clears the whole terminal, scrollback and all, where a screen fills its last row.
  expect(terminal.raw()).not.toContain('\x1b[3J');
  terminal.type('q');
  await expectWhole(terminal, 0);
});

test('keys arrive: selection, panels, search, help, the pager and back', async () => {
  const folder = recordedFolder();
  const pager = join(folder, 'pager.sh');
  writeFileSync(pager, '#!/bin/sh\necho "this is the pager"\ncat "$1"\nread answer\n');
  chmodSync(pager, 0o755);
  const terminal = openTerminal(['watch', folder], { columns: 100, env: { PAGER: pager } });
  await terminal.until('the run', isDrawn);
  terminal.type('\x1b[B');
  await terminal.until('the second worker', (screen) => screen.includes('* worker_1'));
  terminal.type('\x1b[A\t\t');
  await terminal.until('the tasks', (screen) => screen.includes('slot state'));
  terminal.type('\x1b[Z\x1b[Z?');
  await terminal.until('the help', (screen) => screen.includes('copy the line (OSC 52)'));
  terminal.type('?/accepted\r');
  await terminal.until('the match', (screen) => screen.includes('find: accepted   1 of'));
  terminal.type('\x1b');
  await terminal.until('the end of the search', (screen) => !screen.includes('find:'));
  terminal.type('o');
  await terminal.until('the pager', (screen) => screen.includes('the whole log of worker_0'));
  expect(terminal.isAlternate()).toBe(false);
  terminal.type('\r');
  await terminal.until('the run again', isDrawn);
  expect(terminal.isAlternate()).toBe(true);
  terminal.type('y');
  await terminal.until('the notice', (screen) => screen.includes('Copied.'));
  const copied = Buffer.from('worker_0 ended with code 143').toString('base64');
  expect(terminal.raw()).toContain(`\x1b]52;c;${copied}\x07`);
  terminal.type('q');
  await expectWhole(terminal, 0);
});

test('every size from 60x15 to 200x60 and back is drawn whole', async () => {
  const terminal = openTerminal(['watch', recordedFolder()]);
  await terminal.until('the run', isDrawn);
  const sizes = [
    [60, 15],
    [200, 60],
    [119, 36],
    [120, 20],
    [80, 60],
    [81, 24],
  ] as const;
  for (const [columns, rows] of sizes) {
    terminal.resize(columns, rows);
    const isSmall = columns < 80;
    const screen = await terminal.until(`${columns}x${rows}`, (text) => {
      if (isSmall) return text.includes('60x15 is too small, 80x20 is needed');
      const banner = text.split('\n').at(rows - 2) ?? '';
      return isDrawn(text) && banner.endsWith('PANTHALIA SIMULATOR V0') && text.includes('* worker_0');
    });
    // No rest of another size: one banner, and the last row free.
    expect(screen.match(/PANTHALIA SIMULATOR/g)?.length ?? 0).toBe(isSmall ? 0 : 1);
    expect(screen.split('\n').at(-1)).toBe('');
  }
  terminal.type('q');
  await expectWhole(terminal, 0);
});

test('L prints plain lines on the ordinary screen, and L again comes back', async () => {
  const folder = recordedFolder();
  const journal = join(folder, 'journal.jsonl');
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
  writeFileSync(journal, `${lines.slice(0, 200).join('\n')}\n`);
  const terminal = openTerminal(['watch', folder]);
  await terminal.until('the run', (screen) => screen.includes('PANTHALIA SIMULATOR'));
  terminal.type('L');
  await terminal.until('the hint', (screen) => screen.includes('L comes back to the screen'));
  expect(terminal.isAlternate()).toBe(false);
  writeFileSync(journal, `${lines.join('\n')}\n`);
  await terminal.until('a plain line', (screen) => screen.includes('simulate  the run is completed'));
  terminal.type('L');
  await terminal.until('the run', isDrawn);
  terminal.type('q');
  await expectWhole(terminal, 0);
});

test('replay runs, pauses, seeks and changes speed', async () => {
  const terminal = openTerminal(['replay', recordedFolder(), '--speed', '1', '--from', '20']);
  await terminal.until('the beginning', (screen) => screen.includes('replay 1x 00:00:2'));
  terminal.type('p');
  await terminal.until('the pause', (screen) => screen.includes('replay paused'));
  terminal.type('\x1b[D\x1b[D\x1b[D');
  await terminal.until('the start', (screen) => screen.includes('paused 00:00:00'));
  terminal.type('\x1b[C++');
  await terminal.until('10 s on', (screen) => screen.includes('paused 00:00:10'));
  terminal.type('p');
  await terminal.until('going on', (screen) => screen.includes('replay 4x'));
  terminal.type('++++++++');
  await terminal.until('the end', (screen) => screen.includes('replay the end 00:01:11') && isDrawn(screen));
  terminal.type('q');
  await expectWhole(terminal, 0);
});

/** ids of the processes whose parent this is */
function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
}

test('Ctrl-C and SIGTERM leave a whole terminal', async () => {
  const byKey = openTerminal(['watch', recordedFolder()]);
  await byKey.until('the run', isDrawn);
  byKey.type('\x03');
  await expectWhole(byKey, 0);
  const bySignal = openTerminal(['watch', recordedFolder()]);
  await bySignal.until('the run', isDrawn);
  for (const pid of childrenOf(bySignal.pid)) process.kill(pid, 'SIGTERM');
  await expectWhole(bySignal, 143);
});

/** What the shell says of its terminal while the program is stopped. */
function settingsWhenStopped(terminal: Terminal): string {
  return /stopped with \d+\r?\n(.*)end of settings/.exec(terminal.raw())?.[1] ?? '';
}

const isStopped = (screen: string) => screen.includes('end of settings');

test.each(['the screen', 'plain lines'])(
  'Ctrl-Z gives the terminal back, and fg has all of %s again',
  async (face) => {
    const terminal = openTerminal(['watch', recordedFolder()], { hasJobs: true });
    await terminal.until('the run', isDrawn);
    if (face === 'plain lines') {
      terminal.type('L');
      await terminal.until('the hint', (screen) => screen.includes('L comes back to the screen'));
    }
    terminal.type('\x1a');
    const shell = await terminal.until('the shell', isStopped);
    expect(shell).toContain('a shell was here');
    expect(shell).toContain('stopped with 148');
    expect(settingsWhenStopped(terminal)).toMatch(/(^| )icanon .* echo /);
    expect([terminal.isAlternate(), terminal.isCursorShown()]).toEqual([false, true]);
    // Somebody pulls at the window meanwhile.
    terminal.resize(160, 48);
    terminal.type('\n');
    if (face === 'plain lines') {
      await terminal.until('the job', (screen) => screen.split('end of settings')[1]?.includes('$') === true);
      expect(terminal.isAlternate()).toBe(false);
      terminal.type('L');
    }
    await terminal.until(
      'the run again',
      (screen) => isDrawn(screen) && screen.includes('events of the market'),
    );
    expect(terminal.isAlternate()).toBe(true);
    terminal.type('?');
    await terminal.until('the help', (screen) => screen.includes('suspend watch or replay'));
    terminal.type('?q');
    await expectWhole(terminal, 0);
  },
);

test('what is sent to the background draws nothing there, and fg has the screen', async () => {
  const terminal = openTerminal(['watch', recordedFolder()], { hasJobs: true });
  await terminal.until('the run', isDrawn);
  const [pid] = childrenOf(terminal.pid);
  terminal.type('\x1a');
  await terminal.until('the shell', isStopped);
  terminal.type('bg\n');
  await terminal.until('the shell', (screen) => screen.includes('in the background'));
  const stateOf = () => execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  await eventually('it is stopped for wanting the terminal', () => stateOf().startsWith('T'), 60_000);
  expect(terminal.isAlternate()).toBe(false);
  terminal.type('\n');
  await terminal.until('the run again', isDrawn);
  terminal.type('q');
  await expectWhole(terminal, 0);
});

test.each(['SIGTSTP', 'SIGSTOP'] as const)(
  'after %s from elsewhere fg draws the screen again',
  async (signal) => {
    const terminal = openTerminal(['replay', recordedFolder(), '--from', '1000'], { hasJobs: true });
    await terminal.until('the run', isDrawn);
    for (const pid of childrenOf(terminal.pid)) process.kill(pid, signal);
    await eventually('the shell has the terminal', () => terminal.raw().includes('end of settings'), 60_000);
    // Nobody is asked before a SIGSTOP.
    expect(terminal.isAlternate()).toBe(signal === 'SIGSTOP');
    terminal.type('\n');
    await terminal.until('the run again', isDrawn);
    terminal.type('\x1b[D');
    await terminal.until('10 s back', (screen) => screen.includes('replay paused 00:01:01'));
    expect(terminal.isAlternate()).toBe(true);
    terminal.type('q');
    await expectWhole(terminal, 0);
  },
);

test('a crash leaves a whole terminal with its stack trace on it', async () => {
  const bomb = join(temporaryFolder(), 'bomb.mjs');
  writeFileSync(bomb, "process.on('SIGUSR2', () => { throw new Error('a bug of ours'); });\n");
  const terminal = openTerminal(['watch', recordedFolder()], { env: { NODE_OPTIONS: `--import ${bomb}` } });
  await terminal.until('the run', isDrawn);
  for (const pid of childrenOf(terminal.pid)) process.kill(pid, 'SIGUSR2');
  const { code } = await terminal.exited;
  expect(code).not.toBe(0);
  await expectWhole(terminal, code);
  expect(terminal.history()).toContain('a bug of ours');
});

test('a terminal that is gone takes the program with it', async () => {
  const folder = recordedFolder();
  const terminal = openTerminal(['watch', folder]);
  await terminal.until('the run', isDrawn);
  expect(processesNaming(folder)).not.toEqual([]);
  terminal.hangUp();
  await eventually('the program has ended', () => processesNaming(folder).length === 0);
});

/** Whoever loads Ink or React ends with an error. */
function withoutInk(): Record<string, string> {
  const path = join(temporaryFolder(), 'withoutInk.mjs');
  const hook = `export async function resolve(name, context, next) {
    if (/^(ink|react)(\\/|$)/.test(name)) throw new Error('loaded: ' + name);
    return next(name, context);
  }`;
  const url = `data:text/javascript,${encodeURIComponent(hook)}`;
  writeFileSync(path, `import { register } from 'node:module';\nregister(${JSON.stringify(url)});\n`);
  return { NODE_OPTIONS: `--import ${path}` };
}

test('Ink is loaded for a screen only', async () => {
  const env = withoutInk();
  const folder = recordedFolder();
  const onScreen = openTerminal(['replay', folder], { env });
  expect((await onScreen.exited).code).toBe(1);
  expect(onScreen.raw()).toContain('loaded: ');
  for (const args of [['--help'], ['replay', folder], ['replay', folder, '--json'], ['watch', folder]]) {
    const { code, err } = await runCli(args, { env });
    expect([code, err.filter((line) => line.includes('loaded: '))]).toEqual([0, []]);
  }
});

test('without a terminal the lines are plain, and --json is the journal', async () => {
  const folder = recordedFolder();
  const plain = await runCli(['watch', folder]);
  expect([plain.code, plain.out]).toEqual([0, []]);
  expect(plain.err.join('\n')).not.toContain('\x1b');
  expect(plain.err.at(-1)).toBe('04:18:15 simulate  the run is completed');
  const json = await runCli(['replay', folder, '--json']);
  expect(json.out).toEqual(readFileSync(recordedJournal, 'utf8').trimEnd().split('\n'));
  const refused = await runCli(['watch', folder, '--ui', 'dashboard']);
  expect([refused.code, refused.err]).toEqual([
    2,
    [
      'The dashboard needs a terminal, and stdin or stdout is none.',
      'next: pass --ui plain, or leave --ui away',
    ],
  ]);
  const nowhere = await runCli(['watch', 'nowhere'], { cwd: folder });
  expect([nowhere.code, nowhere.err.at(-1)]).toEqual([11, 'next: ls runs']);
});

test('on a terminal --ui plain, CI, TERM=dumb and a small size mean plain lines', async () => {
  const folder = recordedFolder();
  const cases: [string[], { env?: Record<string, string>; columns?: number }][] = [
    [['--ui', 'plain'], {}],
    [[], { env: { CI: '1' } }],
    [[], { env: { TERM: 'dumb' } }],
    [[], { columns: 79 }],
  ];
  await Promise.all(
    cases.map(async ([flags, options]) => {
      const terminal = openTerminal(['watch', folder, ...flags], options);
      expect((await terminal.exited).code).toBe(0);
      expect(terminal.raw()).not.toContain('\x1b');
      expect(terminal.raw()).toContain('the run is completed');
    }),
  );
});

test('colours: NO_COLOR takes them away, FORCE_COLOR brings them back, and the dashboard can be had in CI', async () => {
  const folder = recordedFolder();
  const colours = async (env: Record<string, string>) => {
    const terminal = openTerminal(['watch', folder, '--ui', 'dashboard'], { env });
    await terminal.until('the run', isDrawn);
    terminal.type('q');
    await expectWhole(terminal, 0);
    return terminal.raw().includes('\x1b[36mLatest Loss');
  };
  expect(await Promise.all([colours({ CI: 'true' }), colours({ NO_COLOR: '1' })])).toEqual([true, false]);
  expect(await colours({ NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(true);
});

test('simulate on a terminal: the model is saved with s, q stops the run gracefully and the summary follows', async () => {
  const folder = join(temporaryFolder(), 'run');
  const args = ['simulate', '--preset', 'smoke', '--rounds', '50', '--run-dir', folder];
  const terminal = openTerminal(args, { columns: 120, rows: 40 });
  await terminal.until('a worker that trains', (screen) => /Latest Loss: \d/.test(screen));
  expect(terminal.isAlternate()).toBe(true);
  terminal.type('s');
  await terminal.until(
    'the model',
    (screen) => screen.includes('model-v0.f32.') || screen.includes('model-v1.f32.'),
  );
  expect([0, 1].some((version) => existsSync(join(folder, `model-v${version}.f32`)))).toBe(true);
  terminal.type('q');
  await expectWhole(terminal, 130);
  expect(processesNaming(folder)).toEqual([]);
  expect(terminal.raw()).toMatch(/run +run, interrupted/);
  expect(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'))).toMatchObject({
    outcome: 'interrupted',
  });
});

test('x stops one worker, which stays for its result; the end of the run is its end', async () => {
  const folder = join(temporaryFolder(), 'run');
  const args = ['simulate', '--preset', 'smoke', '--rounds', '50', '--run-dir', folder];
  const terminal = openTerminal([...args, '--challenge-seconds', '40']);
  const journal = () => readJournal(join(folder, 'journal.jsonl'));
  const [solver] = developmentAddresses(4).slice(3);
  await terminal.until('a result of worker_0', (screen) => {
    if (!screen.includes('worker_3')) return false;
    return journal().some(
      (event) =>
        event.type === 'chain.fact' && event.fact.type === 'TaskSubmitted' && event.fact.solver === solver,
    );
  });
  terminal.type('x');
  await terminal.until('the question', (screen) => screen.includes('Stop worker_0?'));
  terminal.type('y');
  const told = () => journal().filter((event) => event.type === 'alert' && event.code === 'worker.owes');
  await eventually('it tells what it owes', () => told().length > 0, 60_000);
  // Where it has not seen the block yet from which we know of its result, it says the same of a task to be solved.
  const owed = /(\d results? in the window until|to be solved by) .* Staying until/;
  expect(told()).toMatchObject([{ src: 'worker_0', message: expect.stringMatching(owed) }]);
  terminal.type('q');
  await expectWhole(terminal, 130);
  expect(processesNaming(folder)).toEqual([]);
  const killed = journal().filter(
    (event) => event.type === 'process.exited' && event.process === 'worker_0' && event.signal !== null,
  );
  expect(killed).toEqual([]);
});

test('Q ends a run at once, and nothing of it is left', async () => {
  const folder = join(temporaryFolder(), 'run');
  const args = ['simulate', '--preset', 'smoke', '--rounds', '50', '--run-dir', folder];
  const terminal = openTerminal(args);
  await terminal.until('the workers', (screen) => screen.includes('worker_3'));
  terminal.type('\x1a');
  await terminal.until('why it goes on', (screen) => screen.includes('A run would miss its deadlines.'));
  terminal.type('Q');
  await expectWhole(terminal, 130);
  await eventually('the leash has taken the children', () => processesNaming(folder).length === 0);
});

test('the recorded run is a whole one', () => {
  expect(recordedEvents().at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
});
