import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VersionJournal } from '../../../src/data/versions.js';
import { buildChild, startChild } from '../../helpers/tsChild.js';
import { versionAfter } from '../../helpers/versions.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-versions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function journalOf(path: string, count: number): Promise<void> {
  await using journal = await VersionJournal.open(path);
  for (let i = 0; i < count; i++) await journal.append(versionAfter(journal.latest));
}

test('what was published is there after reopening, and goes on', async () => {
  const path = join(folder, 'reopen.jsonl');
  await journalOf(path, 2);
  await journalOf(path, 1);
  await using journal = await VersionJournal.open(path);
  expect(journal.latest).toMatchObject({ number: 2, round: 1, validationLoss: 5.25 });
  expect(journal.get(1)?.parent).toBe(journal.get(0)?.stateRoot);
  expect(journal.get(3)).toBeUndefined();
});

test('a version can not be published twice, out of order, on another parent or for another job', async () => {
  await using journal = await VersionJournal.open(join(folder, 'order.jsonl'));
  const first = versionAfter(undefined);
  await journal.append(first);
  const next = versionAfter(first);
  for (const wrong of [
    first,
    { ...next, number: 2 },
    { ...next, parent: next.stateRoot },
    { ...next, jobId: next.stateRoot },
  ]) {
    await expect(journal.append(wrong)).rejects.toMatchObject({ code: 'versions.out_of_order' });
  }
  const both = await Promise.allSettled([journal.append(next), journal.append(next)]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('a torn last line is cut off; damage before it is refused', async () => {
  const path = join(folder, 'torn.jsonl');
  await journalOf(path, 2);
  const whole = await readFile(path, 'utf8');
  await appendFile(path, whole.slice(0, 100));
  await using journal = await VersionJournal.open(path);
  expect(journal.latest?.number).toBe(1);
  expect(await readFile(path, 'utf8')).toBe(whole);
  await writeFile(path, whole.replace('{', '['));
  await expect(VersionJournal.open(path)).rejects.toMatchObject({
    code: 'versions.corrupt',
    family: 'check',
  });
});

test('every version that a process called durable outlives its SIGKILL', async () => {
  const path = join(folder, 'killed.jsonl');
  const child = startChild(await buildChild('appendVersions'), [path]);
  const told: number[] = [];
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      told.push(...chunk.toString().split('\n').filter(Boolean).map(Number));
      // In the middle of writing: it never pauses.
      if (told.length >= 20) child.kill('SIGKILL');
    });
    child.once('close', () => resolve());
  });
  expect(child.signalCode).toBe('SIGKILL');
  await using journal = await VersionJournal.open(path);
  expect(journal.latest?.number).toBeGreaterThanOrEqual(Math.max(...told));
  await journal.append(versionAfter(journal.latest));
});

test('waiting ends with the next version, or with the signal', async () => {
  await using journal = await VersionJournal.open(join(folder, 'wait.jsonl'));
  const first = versionAfter(undefined);
  const waiting = journal.waitAbove(-1, new AbortController().signal);
  await journal.append(first);
  expect(await waiting).toEqual(first);
  const abort = new AbortController();
  const inVain = journal.waitAbove(0, abort.signal);
  abort.abort();
  expect(await inVain).toBeUndefined();
});
