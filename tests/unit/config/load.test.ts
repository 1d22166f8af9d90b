import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { presets } from '../../../src/config/presets.js';
import { runConfigSchema } from '../../../src/config/schema.js';

function fileWith(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'panthalia-config-')), 'panthalia.json');
  writeFileSync(path, text);
  return path;
}

test('every preset is a valid configuration under its own name', () => {
  for (const [name, preset] of Object.entries(presets)) {
    expect(runConfigSchema.parse(preset())).toEqual(preset());
    expect(preset().preset).toBe(name);
  }
});

test('a flag wins over the file, the file over the preset, and groups are merged key by key', () => {
  const file = fileWith('{"preset": "smoke", "rounds": 7, "workers": 3, "inner": {"learningRate": 0.01}}');
  const config = loadConfig({ file, flags: { rounds: 9 } });
  expect(config).toMatchObject({ preset: 'smoke', rounds: 9, workers: 3 });
  expect(config.inner).toEqual({ ...presets.smoke?.().inner, learningRate: 0.01 });
});

test.each([
  ['an unknown preset', { preset: 'huge' }, 'There is no preset "huge"; there are tiny, smoke.'],
  [
    'a preset named like a property of every object',
    { preset: 'constructor' },
    'There is no preset "constructor"',
  ],
  ['too many workers', { workers: 31 }, 'workers: '],
  ['a broken round count', { rounds: 1.5 }, 'rounds: '],
  [
    'heads that do not divide the width',
    { model: { heads: 3 } },
    'expected a multiple of 3 heads, received 128',
  ],
  [
    'more tokens than the block',
    { batch: { tokens: 65 } },
    'expected at most the block size 64, received 65',
  ],
  ['a validation set that is not whole batches', { validationWindows: 17 }, 'expected a multiple of 8 rows'],
  ['a cheat that is not in the run', { cheats: { worker_4: 'zero-delta' } }, 'there is no such worker'],
])('%s is a usage error that says so', (_, flags, sentence) => {
  expect(() => loadConfig({ flags })).toThrow(
    expect.objectContaining({ family: 'usage', message: expect.stringContaining(sentence) }),
  );
});

test('a setting that is wrong in two ways is told once', () => {
  expect(() => loadConfig({ flags: { seed: 1e20 } })).toThrow(/^The configuration is wrong: seed: [^;]*$/);
});

test('an unknown key in the file is an error that names it', () => {
  const file = fileWith('{"wokers": 3, "inner": {"lr": 1}}');
  expect(() => loadConfig({ file, flags: {} })).toThrow(/wokers.*lr|lr.*wokers/);
});

test('a file that is not JSON, or not there, is a configuration error', () => {
  expect(() => loadConfig({ file: fileWith('{'), flags: {} })).toThrow(
    expect.objectContaining({ family: 'config', code: 'config.unreadable_file' }),
  );
  expect(() => loadConfig({ file: '/nowhere/panthalia.json', flags: {} })).toThrow('ENOENT');
});
