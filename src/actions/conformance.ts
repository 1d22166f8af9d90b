/** Whether this machine computes `canon-f32-v1` to the bit: its digest beside the one that the document pins. */
import { ensureAddon } from '../engine/buildAddon.js';
import {
  type ConformanceOptions,
  conformanceDefaults,
  conformanceDigest,
  pinnedDigests,
} from '../engine/conformance.js';
import { loadAddon } from '../engine/loadAddon.js';
import type { Isa } from '../engine/trainer.js';
import { PanthaliaError } from '../errors.js';
import type { Hex32 } from '../protocol/task.js';
import type { Device, Machine } from './compute.js';

/** What `panthalia conformance --json` prints. */
export interface ConformanceReport {
  schema: 'panthalia-conformance/1';
  opset: 'canon-f32-v1';
  digest: Hex32;
  /** null: the document pins no digest for these steps and this seed */
  expected: Hex32 | null;
  matches: boolean | null;
  /** null on a GPU */
  isa: Isa | null;
  threads: number;
  device: Device;
  steps: number;
  seed: number;
  milliseconds: number;
}

export interface RunConformanceOptions extends ConformanceOptions {
  /** in place of the pinned digest */
  expected?: Hex32;
  /** prose about slow beginnings */
  say: (line: string) => void;
}

/** throws build/engine.*, config/engine.no_cuda, error/engine.value_out_of_range for an instruction set that the CPU lacks */
export async function runConformance(options: RunConformanceOptions): Promise<ConformanceReport> {
  const { device, threads, steps, seed, signal, say } = options;
  await ensureAddon({ log: say, signal });
  const { buildInfo } = await loadAddon();
  const startedMs = performance.now();
  const digest = await conformanceDigest(options);
  const milliseconds = Math.round(performance.now() - startedMs);
  const expected = options.expected ?? pinnedDigest(steps, seed);
  return {
    ...{ schema: 'panthalia-conformance/1', opset: 'canon-f32-v1', digest, expected },
    matches: expected === null ? null : digest === expected,
    isa: device === 'cpu' ? (options.isa ?? buildInfo().isa.at(-1) ?? null) : null,
    ...{ threads, device, steps, seed, milliseconds },
  };
}

/** next: what to try
 *  throws check/conformance.differs */
export function requireMatch(report: ConformanceReport, next: string): void {
  const { digest, expected, matches, device, isa } = report;
  if (matches !== false) return;
  throw new PanthaliaError(
    'check',
    `The digest of canon-f32-v1 on this machine must be ${expected}, and it is ${digest}.`,
    {
      code: 'conformance.differs',
      details: { expected, received: digest, device, isa },
      next,
    },
  );
}

/** The short form, before tokens are put at risk.
 *  expected: in place of the pinned digest
 *  throws check/conformance.differs */
export async function requireConformance(
  machine: Machine,
  {
    expected,
    say,
    signal,
  }: { expected?: Hex32 | undefined; say: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const { shortSteps: steps, seed } = conformanceDefaults;
  const pinned = expected === undefined ? {} : { expected };
  const report = await runConformance({ ...machine, steps, seed, say, signal, ...pinned });
  requireMatch(report, 'panthalia conformance');
}

function pinnedDigest(steps: number, seed: number): Hex32 | null {
  return seed === conformanceDefaults.seed ? (pinnedDigests[steps] ?? null) : null;
}
