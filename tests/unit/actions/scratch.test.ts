import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder } from '../../../src/actions/scratch.js';

test('leaving removes what the worker put there, and nothing else of the folder that the user named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-scratch-'));
  writeFileSync(join(folder, 'thesis.txt'), 'the only copy');
  const scratch = await scratchFolder(folder);
  expect(dirname(scratch.path)).toBe(folder);
  writeFileSync(join(scratch.path, 'theta'), '');
  await scratch[Symbol.asyncDispose]();
  expect(existsSync(scratch.path)).toBe(false);
  expect(readdirSync(folder)).toEqual(['thesis.txt']);
});

test('a folder that can not be made is said, and not waited for', async () => {
  const refused = { code: 'storage.io', next: expect.any(String) };
  await expect(scratchFolder('/proc/panthalia/scratch')).rejects.toMatchObject(refused);
});
