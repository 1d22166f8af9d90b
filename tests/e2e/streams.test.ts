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
