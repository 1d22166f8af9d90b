/** Whether a worker may store what it solves. Where the Source of Truth refuses that, to compute more is in vain: it says so, once, keeps
 *  what is computed, and stores it as soon as that is allowed. */
import type { MarketFollower } from '../chain/follow.js';
import type { BlobClient } from '../data/blobClient.js';
import { SotRefusal } from '../data/blobRequest.js';
import type { Emit } from '../events/types.js';
import type { Address, Hex32 } from '../protocol/task.js';

/** Whoever says so: what stands before a Source of Truth gives no reason that it would. */
const forbidden = new Set<unknown>([401, 403]);
/** As in a lane. */
const retrySeconds = 2;

export interface Permission {
  /** Waits, where something was refused before, until something is stored again: no work is begun before. */
  awaited(taskId: Hex32, signal: AbortSignal): Promise<void>;
  /** The same Source of Truth, whose put methods try again what is refused until the signal. */
  patient(sot: BlobClient, signal: AbortSignal): BlobClient;
}

export function createPermission(
  context: { sot: BlobClient; market: MarketFollower; emit: Emit },
  self: Address,
): Permission {
  const { market, emit } = context;
  let isRefused = false;
  const store = async <T>(put: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    while (true) {
      try {
        const stored = await put();
        if (isRefused) emit({ type: 'alert', level: 'info', ...allowed(self) });
        isRefused = false;
        return stored;
      } catch (error) {
        if (!(error instanceof SotRefusal) || !forbidden.has(error.details.status)) throw error;
        if (!isRefused) emit({ type: 'alert', level: 'error', ...refused(self, error) });
        isRefused = true;
      }
      const next = market.head.timestamp + retrySeconds;
      await market.waitFor((_, head) => head.timestamp >= next || undefined, signal);
    }
  };
  return {
    awaited: async (taskId, signal) => {
      // Something small, to see.
      const bytes = Buffer.from(taskId.slice(2), 'hex');
      if (isRefused) await store(() => context.sot.putBytes(bytes, { signal }), signal);
    },
    patient: (sot, signal) => ({
      ...sot,
      putFile: (path, options) => store(() => sot.putFile(path, options), signal),
      putBytes: (bytes, options) => store(() => sot.putBytes(bytes, options), signal),
    }),
  };
}

const code = 'sot.writes_refused';

function refused(self: Address, { message }: SotRefusal) {
  const what = `${message}. Nothing is solved until that is over; what is computed is kept, and stored as soon as it may be.`;
  const next = `Only stakers may store, and signatures need a clock that is right: panthalia status ${self}, panthalia doctor.`;
  return { message: `${what} ${next}`, code };
}

function allowed(self: Address) {
  return { message: `The Source of Truth takes what ${self} stores again.`, code };
}
