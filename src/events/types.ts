/** Everything a run can tell. The journal, the dashboard, `--json` and the summary know nothing else. */

import type { MarketTerms } from '../protocol/economics.js';
import type { ChainFact } from '../protocol/facts.js';
import type { Address, Hex32 } from '../protocol/task.js';

/** What an event of this name means. Another meaning, another version: a journal is read by the program that can. */
export const eventVersion = 2;

/** Fields stamped by the bus. `seq` counts per run, `t` is ISO-8601, `src` the process: worker_2, master, sot, chain, simulate. */
export interface EventStamp {
  v: typeof eventVersion;
  seq: number;
  t: string;
  run: string;
  src: string;
}

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Chain facts travel as `{type: 'chain.fact', fact}`; only the one watcher of a run emits them. */
export type PanthaliaEvent =
  | { type: 'run.started'; manifest: unknown; options: Record<string, unknown> }
  | { type: 'run.ended'; outcome: string }
  | { type: 'process.started'; process: string; pid: number }
  | { type: 'process.ready'; process: string; url?: string }
  | { type: 'process.exited'; process: string; code: number | null; signal: string | null }
  | { type: 'process.log'; process: string; line: string }
  /** terms: what the amounts of the subnet follow from, in version 1 of its parameters */
  | { type: 'chain.deployed'; chainId: number; contracts: Record<string, string>; terms?: MarketTerms }
  /** of a later version, before the first task that is posted under it */
  | { type: 'chain.terms'; version: number; terms: MarketTerms }
  | { type: 'chain.fact'; fact: ChainFact }
  | { type: 'transaction.sent'; what: string; hash: Hex32; gasUsed: bigint }
  | { type: 'task.solving'; taskId: Hex32; round: number; slot: number; innerSteps: number }
  | {
      type: 'train.step';
      taskId: Hex32;
      round: number;
      slot: number;
      step: number;
      innerSteps: number;
      loss: number;
      gradientNorm: number;
      milliseconds: number;
    }
  | {
      type: 'task.solved';
      taskId: Hex32;
      round: number;
      slot: number;
      resultRoot: Hex32;
      loss: number;
      computeSeconds: number;
    }
  | { type: 'audit.started'; taskId: Hex32; round: number; slot: number }
  /** firstWrongStep: the first k whose transition k -> k+1 differs, null when the result is right */
  | { type: 'audit.finished'; taskId: Hex32; firstWrongStep: number | null; computeSeconds: number }
  /** by whoever was drawn to look at some steps. firstWrongStep: as above, among the steps that were made again */
  | {
      type: 'check.computed';
      taskId: Hex32;
      firstWrongStep: number | null;
      /** inner steps that were made again */
      steps: number;
      computeSeconds: number;
    }
  | {
      type: 'vote.computed';
      taskId: Hex32;
      caseId: Hex32;
      round: number;
      seat: number;
      verdict: string;
      /** inner steps that were made again: one, where the state before it was published */
      steps: number;
      computeSeconds: number;
    }
  | { type: 'blob.pulled'; blob: Hex32; sizeBytes: number; seconds: number }
  | { type: 'blob.pushed'; blob: Hex32; sizeBytes: number; seconds: number }
  | { type: 'round.opened'; round: number; baseRoot: Hex32; slots: number }
  | { type: 'round.closed'; round: number }
  | { type: 'outer.step'; round: number; stateRoot: Hex32; parameters: Hex32; validationLoss: number }
  /** The vault's own books at the end, read from the chain. held: tokens of the vault; burned: by it, ever */
  | {
      type: 'vault.counted';
      block: number;
      accounts: { account: Address; amount: bigint }[];
      held: bigint;
      burned: bigint;
    }
  | { type: 'worker.idle'; reason: string }
  | { type: 'fault.injected'; fault: string; taskId: Hex32 }
  | { type: 'alert'; level: Level; message: string; code?: string }
  | { type: 'heartbeat' };

export type StampedEvent = EventStamp & PanthaliaEvent;

export type Emit = (event: PanthaliaEvent) => void;
