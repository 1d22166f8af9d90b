/** docs/cli.md from the commands. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, root } from './compile.mjs';

const problem = compile();
if (problem !== null) {
  console.error(problem);
  process.exit(4);
}
const [{ buildProgram }, { cliReference }] = await Promise.all([
  import('../dist/cli/program.js'),
  import('../dist/cli/reference.js'),
]);
writeFileSync(join(root, 'docs/cli.md'), cliReference(buildProgram({})));
