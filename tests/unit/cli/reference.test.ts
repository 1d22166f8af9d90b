import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import type { CommandIo } from '../../../src/cli/io.js';
import { buildProgram } from '../../../src/cli/program.js';
import { cliReference } from '../../../src/cli/reference.js';

const program = buildProgram({} as CommandIo);

test('docs/cli.md is what the commands say: npm run gen', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
  expect(cliReference(program)).toBe(page);
});

test('every command stands in a group, and says what it does without a full stop', () => {
  const all = (command: Command): Command[] => command.commands.flatMap((child) => [child, ...all(child)]);
  expect(all(program).length).toBeGreaterThan(20);
  for (const command of all(program)) expect(command.description()).toMatch(/[^.]$/);
  const help = program.helpInformation();
  for (const group of ['Run:', 'Take part:', 'Look:', 'Operate:', 'This machine:'])
    expect(help).toContain(group);
});
