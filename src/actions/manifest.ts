/** From the configuration of a run to its manifest: what everybody who repeats it needs, and nothing about where it ran. */
import { readFile } from 'node:fs/promises';
import type { RunConfig } from '../config/schema.js';
import { PanthaliaError } from '../errors.js';
import type { Hex32, RunManifest } from '../protocol/task.js';

/** dataset: id of the dataset's manifest. */
export function manifestOf(config: RunConfig, dataset: Hex32): RunManifest {
  const { preset, opset, model, rounds, slotsPerRound, innerSteps, batch, inner, outer } = config;
  return {
    schema: 'panthalia-run/1',
    preset,
    opset,
    // Only the bits of `torch` depend on it; elsewhere it is nobody's business but the machine's.
    ...(opset === 'torch' ? { threads: config.threads } : {}),
    model,
    dataset,
    seed: `0x${config.seed.toString(16).padStart(64, '0')}`,
    rounds,
    slotsPerRound,
    innerSteps,
    batch,
    inner,
    outer,
    validationWindows: config.validationWindows,
  };
}

/** throws config/manifest.unreadable */
export async function readManifest(path: string): Promise<RunManifest> {
  try {
    const manifest = JSON.parse(await readFile(path, 'utf8')) as RunManifest;
    if (manifest.schema !== 'panthalia-run/1') throw new Error(`its schema is ${manifest.schema}`);
    return manifest;
  } catch (cause) {
    throw new PanthaliaError(
      'config',
      `${path} can not be read as a panthalia-run/1: ${(cause as Error).message}.`,
      { code: 'manifest.unreadable', next: 'pass the manifest.json of a run', cause },
    );
  }
}
