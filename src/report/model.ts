/** A run as its report tells it: plain numbers and rows. */
import type { RunSummary } from '../events/summary.js';
import type { Hex32, RunManifest } from '../protocol/task.js';
import type { MoneyFlow } from './money.js';

/** Seconds are since the start of the run, losses nats per token, names those of processes. */
export interface ReportModel {
  run: string;
  /** completed, interrupted or failed */
  outcome: string;
  /** why it did not complete */
  problem: { message: string; code: string | null } | null;
  /** to run it again; null when the journal does not tell */
  command: string | null;
  /** ISO-8601; null when the journal holds no start */
  startedAt: string | null;
  summary: RunSummary;
  manifest: RunManifest | null;
  loss: LossFigure;
  /** outer steps that the buyer put on chain, and the state root after them; null when there are none */
  onChain: { rounds: number; stateRoot: Hex32 } | null;
  /** null when the journal does not hold the rules of the market */
  money: MoneyFlow | null;
  tasks: TaskRow[];
  disputes: DisputeRow[];
  /** what engines did when */
  work: WorkBar[];
  verification: Verification;
  traffic: TrafficRow[];
  alerts: { seconds: number; src: string; level: string; message: string }[];
  environment: [label: string, value: string][];
}

export interface LossFigure {
  training: TrainingPoint[];
  /** after each outer step. tokens: trained on in accepted tasks until then */
  validation: { seconds: number; round: number; loss: number; tokens: number }[];
  marks: { seconds: number; kind: 'dispute' | 'slash'; label: string }[];
}

export interface TrainingPoint {
  seconds: number;
  worker: string;
  round: number;
  slot: number;
  step: number;
  taskId: Hex32;
  loss: number;
}

export interface TaskRow {
  taskId: Hex32;
  round: number;
  slot: number;
  attempt: number;
  state: string;
  /** null when nobody was drawn */
  solver: string | null;
  disputer: string | null;
  disputedStep: number | null;
  price: string;
  postedAt: number;
  /** null when it did not come to that */
  assignedAt: number | null;
  submittedAt: number | null;
  endedAt: number | null;
  firstLoss: number | null;
  lastLoss: number | null;
  computeSeconds: number | null;
  audits: { by: string; firstWrongStep: number | null }[];
  /** by whoever was drawn to; null when nobody was */
  check: { by: string; outcome: string } | null;
}

export interface DisputeRow {
  taskId: Hex32;
  round: number;
  slot: number;
  solver: string;
  disputer: string;
  step: number;
  verdict: string;
  burned: string;
  panels: {
    panel: number;
    payer: string;
    fee: string;
    ruling: string;
    seats: { seat: number; voter: string; vote: string; answer: Hex32 | null; got: string; lost: string }[];
  }[];
}

export interface WorkBar {
  process: string;
  kind: 'solving' | 'auditing' | 'verifying';
  from: number;
  to: number;
  taskId: Hex32;
}

export interface Verification {
  submitted: number;
  /** submitted tasks that at least one worker re-executed unasked */
  audited: number;
  /** that whoever was drawn to did */
  checked: number;
  auditsRight: number;
  auditsWrong: number;
  votes: number;
  /** engine time; discarded: solutions that were not accepted; auditing: drawn checks included */
  seconds: { accepted: number; discarded: number; auditing: number; verifying: number };
  /** time of audits and votes over the time of solving; null when nothing was solved */
  overhead: number | null;
}

export interface TrafficRow {
  process: string;
  /** bytes */
  up: number;
  down: number;
  /** bytes per second while a transfer ran; null without one */
  upRate: number | null;
  downRate: number | null;
  transactions: number;
  gas: bigint;
}
