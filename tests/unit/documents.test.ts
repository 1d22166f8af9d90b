/** What README, docs and help name is there: commands with their flags, npm scripts, files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import type { CommandIo } from '../../src/cli/io.js';
import { buildProgram } from '../../src/cli/program.js';

const root = resolve('.');
const pages = ['README.md', 'bench/RESULTS.md', ...readdirSync('docs').map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }));
const program = buildProgram({} as CommandIo);

/** What is typed after the program's name in a shell or between backticks. */
const typed = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/(?:`|^ {2,4}|\$ |&& )(?:npx )?panthalia ([^`\n]+?)(?:`| {2,}| > |$)/gm)].map(
    ([, rest]) => ({ name, words: (rest as string).trim().split(/\s+/) }),
  ),
);

function find(words: readonly string[], command: Command = program): Command | undefined {
  const child = command.commands.find((one) => one.name() === words[0]);
  if (child === undefined) return command === program ? undefined : command;
  return find(words.slice(1), child);
}

test('every command that is shown exists and takes the flags it is shown with', () => {
  const wrong = typed.filter(({ words }) => {
    if (words[0]?.startsWith('-')) return false;
    const command = find(words);
    const flags = words.filter((word) => /^\[?--?[a-z]/.test(word)).map((word) => word.replace(/[[\]]/g, ''));
    const known = command?.options.flatMap(({ short, long }) => [short, long]) ?? [];
    return command === undefined || flags.some((flag) => !known.includes(flag.split('=')[0]));
  });
  expect(typed.length).toBeGreaterThan(30);
  expect(wrong.map(({ name, words }) => `${name}: panthalia ${words.join(' ')}`)).toEqual([]);
});

test('every npm script that is shown exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const shown = pages.flatMap(({ text }) => [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name));
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((name) => scripts[name as string] === undefined)).toEqual([]);
});

/** Text that is for people: documents, but for lines that link to another project, and comments of sources. */
function proseOf(file: string): string {
  const isProse = file.endsWith('.md')
    ? (line: string) => !line.includes('https://github.com/')
    : (line: string) => /^\s*(\/\/|\/\*|\*)/.test(line);
  return readFileSync(join(root, file), 'utf8').split('\n').filter(isProse).join('\n');
}

test('every file that documents and comments name with its folder is there', () => {
  const folders = ['src', 'native', 'contracts', 'tests', 'scripts', 'docs', 'bench', 'bin'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const sources = ['README.md', ...files].filter((file) => /\.(md|tsx?|mjs|sol|cc|h|cuh?)$/.test(file));
  const path = new RegExp(
    `(?<![\\w/.-])(?:${folders.join('|')})/[\\w/.-]+\\.(?:tsx?|mjs|sol|cc|h|cuh?|md|py)\\b`,
    'g',
  );
  const named = sources.flatMap((file) =>
    [...proseOf(file).matchAll(path)].map(([name]) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(60);
  const missing = named.filter(({ name }) => !files.includes(name));
  expect(missing.map(({ file, name }) => `${file} names ${name}`)).toEqual([]);
});
