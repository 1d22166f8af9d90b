import { mkdtemp, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRunFolder, latestRun, pointLatestTo } from '../../../src/actions/runFolder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-folder-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the advice about a run folder in use works where a run left it, and removes nothing else', async () => {
  const path = join(folder, 'run');
  await createRunFolder(path);
  const next = `rm -r ${path}   if that run is not wanted any more; or pass a new folder with --run-dir`;
  await expect(createRunFolder(path)).rejects.toMatchObject({ code: 'run.folder_not_empty', next });
  await rm(path, { recursive: true });
  await createRunFolder(path);

  await writeFile(join(folder, 'thesis.txt'), '');
  await expect(createRunFolder(folder)).rejects.toMatchObject({
    code: 'run.folder_not_empty',
    next: 'pass a new folder with --run-dir',
  });
});

test('runs/latest is the newest run in runs, also one with a name; a run elsewhere leaves it alone', async () => {
  const before = process.cwd();
  process.chdir(await mkdtemp(join(folder, 'cwd-')));
  try {
    for (const [path, latest] of [
      ['runs/demo', 'demo'],
      ['elsewhere/runs/demo', 'demo'],
      ['runs/second', 'second'],
      ['runs/group/third', 'second'],
    ] as const) {
      await pointLatestTo(await createRunFolder(path));
      expect(await readlink(latestRun)).toBe(latest);
    }
    await rm(latestRun);
    await pointLatestTo(await createRunFolder(latestRun));
    await expect(readlink(latestRun)).rejects.toMatchObject({ code: 'EINVAL' });
  } finally {
    process.chdir(before);
  }
});
