import { expect, test } from 'vitest';
import { createPainter } from '../../../src/dashboard/painter.js';

function painter() {
  const written: string[] = [];
  const terminal = { columns: 80, rows: 24, write: (text: string) => written.push(text) };
  const made = createPainter(terminal as unknown as NodeJS.WriteStream);
  return { ...made, written, rows: () => (written.at(-1) ?? '').split('\x1b[2K').length - 1 };
}

test('only rows that changed are written, and a frame that is the same writes nothing', () => {
  const { stream, written, rows } = painter();
  stream.write('a\nb\nc');
  expect(rows()).toBe(3);
  stream.write('a\nB\nc');
  expect(written.at(-1)).toBe('\x1b[?2026h\x1b[2;1H\x1b[0m\x1b[2KB\x1b[?2026l');
  stream.write('a\nB\nc');
  expect(written).toHaveLength(2);
});

test('a shorter frame erases the rows that are gone', () => {
  const { stream, written } = painter();
  stream.write('a\nb\nc');
  stream.write('a');
  expect(written.at(-1)).toContain('\x1b[2;1H\x1b[0m\x1b[2K\x1b[3;1H\x1b[0m\x1b[2K');
});

test('after forget and resume the next frame is written whole; while paused nothing is', () => {
  const { stream, forget, pause, resume, written, rows } = painter();
  stream.write('a\nb');
  forget();
  stream.write('a\nb');
  expect(rows()).toBe(2);
  pause();
  stream.write('x\ny');
  expect(written).toHaveLength(2);
  resume();
  stream.write('x\ny');
  expect(rows()).toBe(2);
});
