import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../../bin/panthalia.js');

test('a slow reader gets every byte: leaving waits for the pipe, which holds 64 KiB', async () => {
  const nonsense = 'z'.repeat(100_000);
  const { stdout } = await promisify(execFile)(
    '/bin/sh',
    [
      '-c',
      '"$0" "$1" dispute "$2" --json 2>/dev/null | { sleep 1; cat; }',
      process.execPath,
      program,
      nonsense,
    ],
    { maxBuffer: 1e6 },
  );
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 2, errors: [{ details: { received: nonsense } }] });
});

test('a disk that is full is told, and a reader that went away is not', async () => {
  const shell = async (line: string) => {
    const { stdout, stderr } = await promisify(execFile)('/bin/bash', [
      '-c',
      line,
      process.execPath,
      program,
    ]);
    return { out: stdout.trim(), err: stderr.trim().split('\n') };
  };
  const full = await shell('"$0" "$1" config show >/dev/full; echo "code $?"');
  expect(full).toEqual({
    out: 'code 1',
    err: [
      'What was asked for can not be written to stdout (ENOSPC).',
      'next: look whether the disk is full: df -h',
    ],
  });
  const gone = await shell('set -o pipefail; "$0" "$1" config show | head -c 1 >/dev/null; echo "code $?"');
  expect(gone).toEqual({ out: 'code 0', err: [''] });
});
