/** Every event of a run, one JSON line each, in a file that can be read at any moment and after any death. */
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { PanthaliaError } from '../errors.js';
import { decodeEvent, encodeEvent } from './line.js';
import { eventVersion, type StampedEvent } from './types.js';

export interface Journal {
  /** throws PanthaliaError `journal.not_written` (a full disk) */
  append(event: StampedEvent): void;
  /** Twice is harmless. */
  close(): void;
}

/** Opens for appending. Writes are synchronous: an event that a listener has seen is in the file.
 *  throws PanthaliaError `journal.not_written` */
export function openJournal(path: string): Journal {
  let file: number | null = attempt(path, () => openSync(path, 'a'));
  return {
    append(event) {
      const open = file;
      if (open !== null) attempt(path, () => writeLine(open, encodeEvent(event)));
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

/** Whole or not at all: a disk may take half a line, and have space again for the next one. */
function writeLine(file: number, line: string): void {
  const bytes = Buffer.from(`${line}\n`, 'utf8');
  const { size } = fstatSync(file);
  try {
    const written = writeSync(file, bytes);
    if (written < bytes.length) writeSync(file, bytes, written);
  } catch (error) {
    if (fstatSync(file).size > size) ftruncateSync(file, size);
    throw error;
  }
}

/** All events of a journal. A torn last line (the writer was killed in the middle of it) is left out; a broken line
 *  anywhere else is an error.  throws PanthaliaError `journal.not_found`, `journal.broken` */
export function readJournal(path: string): StampedEvent[] {
  const lines = readLines(path);
  const events: StampedEvent[] = [];
  lines.forEach((line, index) => {
    const event = decodeEvent(line);
    if (event !== null) events.push(event);
    else if (index < lines.length - 1) {
      throw brokenLine(path, line, index + 1);
    }
  });
  return events;
}

function brokenLine(path: string, line: string, number: number): PanthaliaError {
  const version = Number(/^\{"v":(\d+),/.exec(line)?.[1] ?? eventVersion);
  const isOther = version !== eventVersion;
  return new PanthaliaError(
    'check',
    isOther
      ? `Line ${number} of ${path} is not an event of version ${eventVersion}, received one of version ${version}.`
      : `Line ${number} of ${path} is not an event of version ${eventVersion}: the file is damaged there.`,
    {
      code: 'journal.broken',
      details: { path, line: number },
      next: isOther
        ? 'read it with the panthalia that wrote it'
        : `take it from a copy, or keep the ${number - 1} lines before it`,
    },
  );
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (cause) {
    throw new PanthaliaError('notFound', `There is no journal at ${path}.`, {
      code: 'journal.not_found',
      cause,
    });
  }
}

function attempt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw new PanthaliaError(
      'error',
      `The journal ${path} can not be written: ${(cause as Error).message}.`,
      {
        code: 'journal.not_written',
        cause,
      },
    );
  }
}
