/** npm run test:smt: the statements in tests/contracts/formal/Proofs.sol, proven for all values by solc's SMTChecker with the z3 of the
 *  machine (Debian: apt-get install z3). What stands in Planted is false and must be refuted. Without z3: skipped, and counted;
 *  failed where PANTHALIA_Z3=required, as in .ci/run.
 *  usage: node scripts/smt.mjs [--json]     with --json the last line is {"passed":n,"failed":m,"skipped":k} */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import solc from 'solc';
import { root } from './compile.mjs';

const file = 'tests/contracts/formal/Proofs.sol';
/** Of one query; the slowest takes 14 s on a free core of 2020. */
const querySeconds = 120;
const source = readFileSync(join(root, file), 'utf8');
const contracts = [...source.matchAll(/^contract (\w+)/gm)].map(([, name]) => name);

const count = { passed: 0, failed: 0, skipped: 0 };
if (spawnSync('z3', ['--version']).error === undefined) {
  for (const contract of contracts) judge(contract, check(contract));
} else {
  const isRequired = process.env.PANTHALIA_Z3 === 'required';
  count[isRequired ? 'failed' : 'skipped'] = contracts.length;
  const says = isRequired ? ' × PANTHALIA_Z3=required, and' : 'skipped:';
  console.log(`${says} z3 is not installed (${contracts.length} contracts of ${file}); apt-get install z3`);
}
const { passed, failed, skipped } = count;
console.log(
  process.argv.includes('--json')
    ? JSON.stringify(count)
    : `smt: ${passed} as expected, ${failed} not, ${skipped} skipped`,
);
process.exitCode = failed === 0 ? 0 : 1;

/** A verdict of the checker is passed if it is what the contract stands for: safe, or violated in Planted. */
function judge(contract, { messages, seconds }) {
  const wanted = contract === 'Planted' ? /violation happens here/ : /check is safe!/;
  const mine = messages.filter(({ message }) => contract !== 'Planted' || /Assertion/.test(message));
  const wrong = mine.filter(({ message }) => !wanted.test(message));
  const asserted = mine.filter(({ message }) => /Assertion/.test(message)).length;
  count.passed += mine.length - wrong.length;
  count.failed += wrong.length;
  // A contract about which the checker says nothing was not checked.
  const expected = source.split(/^contract /m).find((text) => text.startsWith(contract));
  const written = expected.match(/\bassert\(/g)?.length ?? 0;
  if (asserted !== written) {
    count.failed += 1;
    console.log(` × ${contract}: ${written} assertions, and the checker speaks of ${asserted}`);
  }
  for (const { message, line } of wrong) console.log(` × ${contract}, ${line}: ${message}`);
  const sign = wrong.length === 0 && asserted === written ? '✓' : '×';
  console.log(` ${sign} ${contract}: ${mine.length} statements, ${asserted} of them ours (${seconds} s)`);
}

function check(contract) {
  const start = Date.now();
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: source } },
    settings: {
      modelChecker: {
        engine: 'bmc',
        targets: ['assert', 'overflow', 'underflow', 'divByZero'],
        contracts: { [file]: [contract] },
        solvers: ['smtlib2'],
        showProvedSafe: true,
        showUnproved: true,
        timeout: querySeconds * 1000,
      },
    },
  };
  const { errors = [] } = JSON.parse(solc.compile(JSON.stringify(input), { import: read, smtSolver: ask }));
  const messages = errors
    .filter(({ severity, message }) => severity === 'error' || /^(BMC|CHC): /.test(message))
    .map(({ message, sourceLocation: at }) => ({
      message: message.split('\n')[0],
      line: at === undefined ? '' : `${at.file}:${lineOf(at)}`,
    }));
  return { messages, seconds: ((Date.now() - start) / 1000).toFixed(1) };
}

function ask(query) {
  const { stdout } = spawnSync('z3', ['-in', '-smt2', `-T:${querySeconds}`], {
    input: query,
    encoding: 'utf8',
  });
  return { contents: stdout };
}

function read(path) {
  const found = [join(root, path), join(root, 'node_modules', path)].find((place) => existsSync(place));
  return found === undefined ? { error: `there is no ${path}` } : { contents: readFileSync(found, 'utf8') };
}

function lineOf({ file: path, start }) {
  return readFileSync(join(root, path), 'utf8').slice(0, start).split('\n').length;
}
