/** npm run gen: everything that is generated and committed. With --check: fail where that would change a file, and change none. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const generated = ['src/chain/abi.generated.ts', 'tests/fixtures/canon.json', 'docs/cli.md'];
const before = generated.map((path) => readFileSync(join(root, path)));
run(forgeBinary(), ['build', '--root', root, '--quiet']);
run(process.execPath, [join(root, 'scripts/generateAbi.mjs')]);
run(process.execPath, [join(root, 'scripts/generateCanonFixture.mjs')]);
run(process.execPath, [join(root, 'scripts/generateCliReference.mjs')]);

if (process.argv.includes('--check')) {
  const changed = generated.filter((path, i) => !readFileSync(join(root, path)).equals(before[i]));
  for (const [i, path] of generated.entries()) writeFileSync(join(root, path), before[i]);
  for (const path of changed) console.error(`${path} is not what its source gives`);
  process.exitCode = changed.length === 0 ? 0 : 5;
}

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(4);
}
