#!/usr/bin/env node
// Writes tests/fixtures/canon.json: losses, gradient norms and state roots of small trainings, computed by the naive implementation
// of docs/opset-canon-f32-v1.md in tests/helpers/naiveCanon. Takes seconds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'panthalia-fixture-'));
try {
  // Node 20 runs no TypeScript.
  const input = join(root, 'tests/helpers/naiveCanon/cases.ts');
  const bundle = await rolldown({ input, platform: 'node', logLevel: 'warn' });
  const file = join(folder, 'cases.mjs');
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  const { canonFixture } = await import(pathToFileURL(file).href);
  const target = join(root, 'tests/fixtures/canon.json');
  writeFileSync(target, `${JSON.stringify(canonFixture(), null, 2)}\n`);
  process.stdout.write(`${target}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
