/** npm test: everything that runs without a GPU. The last line is the count; the exit code is 1 if anything failed.
 *  usage: node scripts/test.mjs [suite ...]     suites: unit engine chain e2e contracts gas smt; only where named: invariants broken */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const suites = {
  unit: runVitest,
  engine: runVitest,
  chain: runVitest,
  e2e: runVitest,
  contracts: runForge,
  gas: () => runScript('gas.mjs'),
  smt: () => runScript('smt.mjs'),
};
/** Too long for every change. */
const longSuites = { invariants: runInvariants, broken: () => runScript('broken.mjs') };
const allSuites = { ...suites, ...longSuites };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in allSuites));
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}; there are ${Object.keys(allSuites).join(', ')}.`);
  process.exit(2);
}

const build = run(process.execPath, [join(root, 'scripts/setup.mjs')]);
if (build.status !== 0) {
  console.log('0 passed, 1 failed');
  process.exit(build.status ?? 1);
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of wanted.length > 0 ? wanted : Object.keys(suites)) {
  const start = Date.now();
  const count = allSuites[name](name);
  console.log(`suite ${name}: ${sentence(count)} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  for (const key of Object.keys(total)) total[key] += count[key];
}
console.log(sentence(total));
process.exitCode = total.failed > 0 ? 1 : 0;

function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function runVitest(project) {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-test-'));
  const report = join(folder, 'report.json');
  const args = [vitest, 'run', '--root', root, '--project', project];
  const { status } = run(process.execPath, [
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    // A file that does not load has no failed test; an unhandled rejection is known to the exit code only.
    const broken = testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    const failed = numFailedTests + broken.length;
    return {
      passed: numPassedTests,
      failed: failed === 0 && status !== 0 ? 1 : failed,
      skipped: numPendingTests + numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** 256 random markets of 500 actions. */
function runInvariants() {
  return runForge('invariants', ['--match-path', 'tests/contracts/invariant/*'], { FOUNDRY_PROFILE: 'ci' });
}

function runForge(_name, only = [], env = {}) {
  const args = ['test', '--root', root, '--json', ...only];
  const { status, stdout } = run(forgeBinary(), args, ['ignore', 'pipe', 'inherit'], env);
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const [file, suite] of Object.entries(parseForge(stdout))) {
    for (const [test, { status: outcome, reason, counterexample }] of Object.entries(suite.test_results)) {
      if (outcome === 'Success') count.passed += 1;
      else if (outcome === 'Skipped') count.skipped += 1;
      else {
        count.failed += 1;
        console.log(` × ${file} ${test}: ${reason ?? 'failed'} ${JSON.stringify(counterexample ?? '')}`);
      }
    }
    const results = Object.values(suite.test_results);
    console.log(
      ` ${results.every(({ status: o }) => o !== 'Failure') ? '✓' : '×'} ${file} (${results.length} tests)`,
    );
  }
  // forge that does not compile prints no results at all.
  if (status !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

/** A script of ours whose last line is its count. */
function runScript(name) {
  const { stdout } = run(
    process.execPath,
    [join(root, 'scripts', name), '--json'],
    ['ignore', 'pipe', 'inherit'],
  );
  const lines = `${stdout}`.trim().split('\n');
  process.stdout.write(`${lines.slice(0, -1).join('\n')}\n`);
  try {
    return { skipped: 0, ...JSON.parse(lines.at(-1)) };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function parseForge(stdout) {
  const text = stdout.toString();
  const start = text.search(/^\{"tests\//m); // before it may stand events of invariants, one a line
  try {
    return JSON.parse(text.slice(start));
  } catch {
    process.stdout.write(text);
    return {};
  }
}

function run(command, args, stdio = ['ignore', 'inherit', 'inherit'], env = {}) {
  return spawnSync(command, args, {
    cwd: root,
    stdio,
    env: { ...process.env, ...env },
    maxBuffer: 256 * 1024 * 1024,
  });
}
