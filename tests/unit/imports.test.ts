import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** docs/architecture.md, who may import whom. A folder may always import from itself. */
const allowed: Record<string, readonly string[]> = {
  cli: ['actions', 'metrics', 'config', 'dashboard', 'process', 'events', 'errors'],
  actions: [
    'roles',
    'chain',
    'engine',
    'process',
    'data',
    'report',
    'events',
    'config',
    'protocol',
    'errors',
  ],
  roles: ['protocol', 'chain', 'engine', 'data', 'events', 'deadline', 'errors'],
  chain: ['protocol', 'errors'],
  engine: ['protocol', 'errors'],
  data: ['protocol', 'deadline', 'errors'],
  process: ['errors'],
  config: ['protocol', 'errors'],
  events: ['protocol', 'errors'],
  report: ['events', 'protocol', 'errors'],
  metrics: ['events', 'protocol', 'errors'],
  dashboard: ['events'],
  protocol: ['errors'],
  deadline: [],
  errors: [],
};

/** Types vanish at run time; they may also come from here. */
const allowedTypes: Record<string, readonly string[]> = {
  cli: ['chain', 'protocol', 'report'],
  chain: ['events'],
  data: ['events'],
};

/** package -> the folders that may import it */
const owners: Record<string, readonly string[]> = {
  ethers: ['chain'],
  abitype: ['chain'],
  commander: ['cli'],
  'prom-client': ['metrics'],
  vega: ['report'],
  'vega-lite': ['report'],
  '@resvg/resvg-js': ['report'],
  zod: ['config', 'chain', 'roles'],
  ink: ['dashboard'],
  react: ['dashboard'],
};

interface Import {
  file: string;
  folder: string;
  specifier: string;
  isType: boolean;
}

const root = resolve('src');

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const pattern =
    /^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map(([, type, from, bare, lazy]) => ({
    file,
    folder: folderOf(file),
    specifier: from ?? bare ?? lazy ?? '',
    isType: type !== undefined,
  }));
}

function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] as string) : path.replace(/\.ts$/, '');
}

function targetFolder(line: Import): string {
  return folderOf(targetFile(line));
}

/** As `files` has it: the import of a component names the .js that becomes of its .tsx. */
function targetFile({ file, specifier }: Import): string {
  const path = relative(root, resolve(root, dirname(file), specifier)).replace(/\.js$/, '');
  return files.find((known) => known.replace(/(\.d)?\.tsx?$/, '') === path) ?? path;
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const imports = files.flatMap(importsOf);
const isOurs = ({ specifier }: Import) => specifier.startsWith('.');

test('the imports are found', () => {
  expect(imports.filter(isOurs).length).toBeGreaterThan(100);
  expect(new Set(files.map(folderOf))).toEqual(new Set(Object.keys(allowed)));
});

test('imports go one way', () => {
  const wrong = imports.filter(isOurs).filter((line) => {
    const target = targetFolder(line);
    if (target === line.folder || allowed[line.folder]?.includes(target)) return false;
    return !(line.isType && allowedTypes[line.folder]?.includes(target));
  });
  expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
});

test('no file imports itself through others, be it for a type', () => {
  const targets = new Map(
    files.map((file) => [file, imports.filter((line) => line.file === file && isOurs(line))]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, path: readonly string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || done.has(file)) return;
    for (const line of targets.get(file) ?? []) walk(targetFile(line), [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  expect(cycles).toEqual([]);
  expect(done).toEqual(new Set(files));
});

test('a package has one importer', () => {
  const wrong = imports.filter(({ specifier, folder }) => owners[specifier]?.includes(folder) === false);
  expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
});

test('only cli/main.ts ends the process', () => {
  const enders = files.filter((file) => readFileSync(join(root, file), 'utf8').includes('process.exit('));
  expect(enders).toEqual(['cli/main.ts']);
});

test('nothing that help needs loads ethers, zod, Ink or the addon', () => {
  const heavy = new Set(['ethers', 'zod', 'abitype', 'ink', 'react']);
  const reached = new Set<string>();
  const queue = ['cli/main.ts'];
  for (const file of queue) {
    for (const line of importsOf(file)) {
      const isLazy = readFileSync(join(root, file), 'utf8').includes(`import('${line.specifier}')`);
      if (line.isType || isLazy) continue;
      if (!isOurs(line)) reached.add(line.specifier);
      const next = targetFile(line);
      if (isOurs(line) && !queue.includes(next)) queue.push(next);
    }
  }
  expect(queue.length).toBeGreaterThan(15);
  expect([...reached].filter((name) => heavy.has(name))).toEqual([]);
  expect(queue.filter((file) => file.startsWith('engine/') || file.startsWith('chain/'))).toEqual([]);
});
