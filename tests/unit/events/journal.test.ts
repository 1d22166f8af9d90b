import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBus } from '../../../src/events/bus.js';
import { openJournal, readJournal } from '../../../src/events/journal.js';
import { buildChild, outcome, startChild } from '../../helpers/tsChild.js';

function journalOf(count: number): string {
  const path = join(mkdtempSync(join(tmpdir(), 'panthalia-journal-')), 'journal.jsonl');
  const bus = createBus({ run: 'demo' });
  const journal = openJournal(path);
  bus.subscribe(journal.append);
  const emit = bus.emitterFor('worker_0');
  for (let i = 0; i < count; i++) emit({ type: 'worker.idle', reason: `number ${i}` });
  journal.close();
  return path;
}

test('a journal gives back what was appended, in order', () => {
  const events = readJournal(journalOf(3));
  expect(events.map(({ seq, type }) => [seq, type])).toEqual([
    [0, 'worker.idle'],
    [1, 'worker.idle'],
    [2, 'worker.idle'],
  ]);
});

test('a torn last line is left out', () => {
  const path = journalOf(3);
  const whole = readFileSync(path, 'utf8');
  for (const cut of [1, 10, 60]) {
    writeFileSync(path, whole.slice(0, -1 - cut));
    expect(readJournal(path)).toHaveLength(2);
  }
});

test.each(['garbage', '{"v":2,"seq":'])(
  'a broken line in the middle is an error that names it: %s',
  (line) => {
    const path = journalOf(2);
    appendFileSync(path, `${line}\n`);
    appendFileSync(path, readFileSync(journalOf(1)));
    expect(() => readJournal(path)).toThrow(
      expect.objectContaining({
        message: `Line 3 of ${path} is not an event of version 2: the file is damaged there.`,
        next: 'take it from a copy, or keep the 2 lines before it',
      }),
    );
  },
);

test('a journal of another version is an error that says which', () => {
  const path = journalOf(2);
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll('{"v":2,', '{"v":1,'));
  expect(() => readJournal(path)).toThrow(
    expect.objectContaining({
      message: `Line 1 of ${path} is not an event of version 2, received one of version 1.`,
      next: 'read it with the panthalia that wrote it',
    }),
  );
});

test('a journal that can not be written or found says so', () => {
  expect(() => openJournal('/nowhere/journal.jsonl')).toThrow(
    expect.objectContaining({ code: 'journal.not_written' }),
  );
  expect(() => readJournal('/nowhere/journal.jsonl')).toThrow(
    expect.objectContaining({ family: 'notFound', code: 'journal.not_found' }),
  );
});

test('a full disk is an error, not a silence', () => {
  const journal = openJournal('/dev/full');
  const bus = createBus({ run: 'demo' });
  bus.subscribe(journal.append);
  expect(() => bus.emitterFor('sot')({ type: 'heartbeat' })).toThrow('no space left on device');
});

test('a full disk leaves whole lines only, so that the events of the end may still follow when there is space', async () => {
  const path = journalOf(0);
  const child = startChild(await buildChild('appendEvents'), [path], { fileKiB: 4 });
  expect(await outcome(child)).toEqual({ output: 'journal.not_written\n', code: 0 });
  expect(readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
  expect(readJournal(path).length).toBeGreaterThan(10);
});
