/** npm run check: format, lint, types, import rules, formatted and linted contracts, and generated files that are up to date. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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
  // after the contracts were built: it would leave artifacts without bytecode behind where something changed
  [
    'forge lint',
    forgeBinary(),
    [
      'lint',
      '--root',
      root,
      '--deny',
      'notes',
      ...['high', 'med', 'low'].flatMap((level) => ['--severity', level]),
    ],
  ],
  [
    'solhint',
    node,
    [
      bin('solhint/solhint.js'),
      '--noPoster',
      '--disc',
      '--max-warnings',
      '0',
      join(root, 'contracts/**/*.sol'),
    ],
  ],
  ['imports', node, [bin('vitest/vitest.mjs'), 'run', '--root', root, '--project', 'unit', 'imports']],
];

const skipped = checks.filter(([, command, [program]]) => command === node && !existsSync(program));
for (const [name] of skipped) console.log(`check ${name}: skipped, it is not installed; npm ci`);
const failed = checks.filter((check) => {
  if (skipped.includes(check)) return false;
  const [name, command, args, remedy] = check;
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  console.log(`check ${name}: ${status === 0 ? 'ok' : `failed${remedy === undefined ? '' : `; ${remedy}`}`}`);
  return status !== 0;
});
const passed =
  skipped.length === 0 ? 'all checks passed' : `all other checks passed, ${skipped.length} skipped`;
console.log(failed.length === 0 ? passed : `failed: ${failed.map(([name]) => name).join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 5;
