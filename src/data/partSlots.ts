/** Bounded memory for parts on their way in: one buffer of 8 MiB each, reused, never more than `capacity`. */
import type { IncomingMessage } from 'node:http';
import type { Address } from '../protocol/task.js';
import { partSizeBytes } from './blobParts.js';
import { httpError } from './httpAnswer.js';

export class PartSlots {
  readonly #capacity: number;
  readonly #free: Buffer[] = [];
  readonly #takenBy = new Map<Address, number>();
  #taken = 0;

  /** Half of the slots at most go to one account, so that a slow one can not keep out the others. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Runs `use` with a buffer.  throws network/http.busy at once when none is left */
  async with<T>(account: Address, use: (buffer: Buffer) => Promise<T>): Promise<T> {
    const own = this.#takenBy.get(account) ?? 0;
    if (this.#taken >= this.#capacity || own >= Math.max(1, this.#capacity / 2)) {
      throw httpError(
        'http.busy',
        `${this.#taken} parts are on their way in, ${own} of them yours; try again.`,
      );
    }
    this.#taken++;
    this.#takenBy.set(account, own + 1);
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(partSizeBytes);
    try {
      return await use(buffer);
    } finally {
      this.#free.push(buffer);
      this.#taken--;
      const left = (this.#takenBy.get(account) ?? 1) - 1;
      if (left > 0) this.#takenBy.set(account, left);
      else this.#takenBy.delete(account);
    }
  }
}

/** Reads a body of exactly `length` bytes into `buffer`.  throws network/http.malformed, http.too_large */
export async function readBody(request: IncomingMessage, buffer: Buffer, length: number): Promise<Buffer> {
  let at = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (at + chunk.length > length)
      throw httpError('http.too_large', `The body has more than ${length} bytes.`);
    at += chunk.copy(buffer, at);
  }
  if (at !== length) throw httpError('http.malformed', `The body has ${at} bytes; ${length} were announced.`);
  return buffer.subarray(0, length);
}

/** Content-Length, which every write must have.  throws network/http.length_required, http.too_large */
export function contentLength(request: IncomingMessage, most: number): number {
  const header = request.headers['content-length'];
  if (header === undefined) throw httpError('http.length_required', 'A write needs a Content-Length.');
  const length = Number(header);
  if (!Number.isSafeInteger(length) || length > most) {
    throw httpError('http.too_large', `The body may have ${most} bytes; it has ${header}.`, { most });
  }
  return length;
}
