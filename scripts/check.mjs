/** npm run check: format, lint, types, import rules, formatted contracts, and generated files that are up to date. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const node = process.execPath;
const bin = (path) => join(root, 'node_modules', path);
const checks = [
  [
    'biome',
    node,
    [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
    'npx biome check --write .',
  ],
  ['tsc', node, [bin('typescript/bin/tsc'), '--noEmit', '-p', root]],
  ['tsc of the tests', node, [bin('typescript/bin/tsc'), '--noEmit', '-p', join(root, 'tests')]],
  ['forge fmt', forgeBinary(), ['fmt', '--check', '--root', root], 'npx forge fmt'],
  ['generated files', node, [join(root, 'scripts/generate.mjs'), '--check'], 'npm run gen'],
  ['imports', node, [bin('vitest/vitest.mjs'), 'run', '--root', root, '--project', 'unit', 'imports']],
];

const failed = checks.filter(([name, command, args, remedy]) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  console.log(`check ${name}: ${status === 0 ? 'ok' : `failed${remedy === undefined ? '' : `; ${remedy}`}`}`);
  return status !== 0;
});
console.log(failed.length === 0 ? 'all checks passed' : `failed: ${failed.map(([name]) => name).join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 5;
