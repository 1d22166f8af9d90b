/** What each account may still put on the disk. A staked account can fill its budget, never the disk. */
import { PanthaliaError } from '../errors.js';
import type { Address } from '../protocol/task.js';

export class UploadBudget {
  readonly #budgetBytes: number;
  readonly #usedBytes = new Map<Address, number>();

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  left(uploader: Address): number {
    return Math.max(0, this.#budgetBytes - (this.#usedBytes.get(uploader) ?? 0));
  }

  /** throws network/upload.budget */
  charge(uploader: Address, sizeBytes: number): void {
    const left = this.left(uploader);
    if (costBytes(sizeBytes) > left) {
      throw new PanthaliaError(
        'network',
        `A blob of ${sizeBytes} bytes does not fit into the ${left} bytes left to ${uploader}.`,
        { code: 'upload.budget', details: { uploader, sizeBytes, budgetLeftBytes: left } },
      );
    }
    this.note(uploader, sizeBytes);
  }

  /** What is on disk already counts, whatever the budget. */
  note(uploader: Address, sizeBytes: number): void {
    this.#usedBytes.set(uploader, (this.#usedBytes.get(uploader) ?? 0) + costBytes(sizeBytes));
  }

  release(uploader: Address, sizeBytes: number): void {
    this.#usedBytes.set(uploader, (this.#usedBytes.get(uploader) ?? 0) - costBytes(sizeBytes));
  }
}

/** Whole blocks and an entry, so that many tiny blobs can not fill the disk for nothing. */
function costBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4096) * 4096 + 4096;
}
