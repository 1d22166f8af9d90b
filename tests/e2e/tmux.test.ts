/** The screen as tmux, a terminal of somebody else's, shows it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/cli.js';
import { eventually } from '../helpers/processes.js';
import { recordedJournal } from '../helpers/recordedRun.js';
import { maskedAges } from '../helpers/terminal.js';

const program = join(import.meta.dirname, '../../bin/panthalia.js');
const isMissing = spawnSync('tmux', ['-V']).status !== 0;
const why = isMissing ? ' (skipped: no tmux; apt install tmux)' : '';
/** For a machine that is busy with other tests. */
const patienceMs = 60_000;
const server = `panthalia-test-${process.pid}`;

function tmux(...args: string[]): string {
  const { TMUX: _, CI: __, ...env } = process.env;
  const { stdout } = spawnSync('tmux', ['-L', server, '-f', '/dev/null', ...args], { encoding: 'utf8', env });
  return stdout;
}

afterEach(() => {
  if (!isMissing) tmux('kill-server');
});

test.skipIf(isMissing).each([
  [80, 24],
  [160, 48],
])(`tmux captures the stored screen at %ix%i${why}`, async (columns, rows) => {
  const folder = join(temporaryFolder(), 'demo');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  writeFileSync(join(folder, 'journal.jsonl'), readFileSync(recordedJournal));
  const command = `exec env -u NODE_ENV LANG=C.UTF-8 '${process.execPath}' '${program}' watch '${folder}'`;
  tmux('-u', 'new-session', '-d', '-s', 'demo', '-x', String(columns), '-y', String(rows), command);
  let screen = '';
  await eventually(
    'the run is on the screen',
    () => {
      screen = tmux('capture-pane', '-p', '-t', 'demo');
      return screen.includes('Latest Loss: 4.6');
    },
    patienceMs,
  );
  const stored = readFileSync(
    join(import.meta.dirname, `../fixtures/screens/watch-${columns}x${rows}.txt`),
    'utf8',
  );
  const rowsOf = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd());
  expect(rowsOf(maskedAges(screen))).toEqual(rowsOf(stored));
  tmux('send-keys', '-t', 'demo', 'q');
  await eventually('the program is gone', () => tmux('list-sessions') === '', patienceMs);
});
