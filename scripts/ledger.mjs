/** npm run ledger: the worked ledger in docs/protocol.md, as tests/contracts/Ledger.t.sol prints it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const document = join(root, 'docs/protocol.md');
const args = ['test', '--root', root, '--match-contract', 'LedgerTest', '--json', '-vv'];
const { stdout, stderr } = spawnSync(forgeBinary(), args, { cwd: root, encoding: 'utf8' });
const [suite] = Object.values(JSON.parse(stdout.slice(stdout.indexOf('{'))));
const [{ decoded_logs: logs, reason }] = Object.values(suite.test_results);
const table = logs.find((line) => line.startsWith('| story'));
if (table === undefined) {
  console.error(`the stories did not come to their end: ${reason}\n${stderr}`);
  process.exit(1);
}
const before = readFileSync(document, 'utf8');
writeFileSync(
  document,
  before.replace(/<!-- ledger -->\n[\s\S]*?<!-- \/ledger -->/, `<!-- ledger -->\n${table}\n<!-- /ledger -->`),
);
console.log(table);
