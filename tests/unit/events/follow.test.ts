import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { followJournal } from '../../../src/events/follow.js';
import { encodeEvent } from '../../../src/events/line.js';
import type { StampedEvent } from '../../../src/events/types.js';
import { stamper } from '../../helpers/recordedRun.js';

/** The next portion that is not empty. */
async function next(portions: AsyncGenerator<StampedEvent[]>): Promise<StampedEvent[]> {
  for (;;) {
    const { value, done } = await portions.next();
    if (done) throw new Error('the journal has ended');
    if (value.length > 0) return value;
  }
}

test('a growing journal is told to its last whole line, a line that is being written when it is whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-follow-'));
  try {
    const path = join(folder, 'journal.jsonl');
    const stamp = stamper();
    const [a, b, c] = ['one', 'zwölf 模', 'three'].map((line) =>
      stamp('sot', { type: 'process.log', process: 'sot', line }),
    ) as [StampedEvent, StampedEvent, StampedEvent];
    const bytes = Buffer.from(`${encodeEvent(b)}\n`);
    // In the middle of a character.
    const cut = bytes.indexOf(Buffer.from('模')) + 1;
    writeFileSync(path, Buffer.concat([Buffer.from(`${encodeEvent(a)}\n`), bytes.subarray(0, cut)]));
    const stop = new AbortController();
    const portions = followJournal(path, stop.signal);
    expect(await next(portions)).toEqual([a]);
    appendFileSync(path, bytes.subarray(cut));
    appendFileSync(path, `no event\n${encodeEvent(c)}\n`);
    expect(await next(portions)).toEqual([b, c]);
    stop.abort(new Error('enough'));
    await expect(portions.next()).rejects.toThrow('enough');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
