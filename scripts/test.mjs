/** npm test: everything that runs without a GPU. The last line is the count, before it stands what failed; the exit code is 1 if
 *  anything did.
 *  usage: node scripts/test.mjs [suite ...]     suites: unit engine chain e2e contracts gas smt; only where named: invariants night broken */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const invariants = 'tests/contracts/invariant/*';
const suites = {
  unit: runVitest,
  engine: runVitest,
  chain: runVitest,
  e2e: runVitest,
  contracts: runContracts,
  gas: () => runScript('gas.mjs'),
  smt: () => runScript('smt.mjs'),
};
/** Too long for every change. */
const longSuites = {
  invariants: () => runInvariants('ci'), // 256 random markets of 500 actions
  night: () => runInvariants('night'), // 2,000 of 1,000
  broken: () => runScript('broken.mjs'),
};
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
const failures = [];
for (const name of wanted.length > 0 ? wanted : Object.keys(suites)) {
  const start = Date.now();
  const count = allSuites[name](name);
  console.log(`suite ${name}: ${sentence(count)} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  for (const key of Object.keys(total)) total[key] += count[key];
  failures.push(...count.failures.map((failure) => ({ suite: name, ...failure })));
}
// Once more at the end: of a long log often the end only is kept.
for (const { suite, where, says } of failures) console.log(` × ${suite}: ${where}${firstLines(says)}`);
console.log(sentence(total));
process.exitCode = total.failed > 0 ? 1 : 0;

function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** The last line is kept too: it says where. */
function firstLines(text) {
  const lines = stripVTControlCharacters(text)
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const told = lines.length <= 8 ? lines : [...lines.slice(0, 6), '...', lines.at(-1)];
  return told.map((line) => `\n     ${line.slice(0, 300)}`).join('');
}

/** What is counted where a runner ended without its count. */
function oneFailure(where, { status, signal, error }) {
  const says = `ended ${signal === null ? `with code ${status}` : `by ${signal}`}${error === undefined ? '' : `: ${error.message}`}, and named no failure; its output stands above`;
  return { passed: 0, failed: 1, skipped: 0, failures: [{ where, says }] };
}

function runVitest(project) {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-test-'));
  const report = join(folder, 'count.json');
  const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/vitestCount.mjs')}`];
  const args = [vitest, 'run', '--root', root, '--project', project, ...reporters];
  try {
    const ended = run(process.execPath, [...args, `--outputFile.count=${report}`]);
    const count = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : oneFailure('vitest', ended);
    if (ended.status === 0 || count.failed > 0) return count;
    return { ...oneFailure('vitest', ended), passed: count.passed, skipped: count.skipped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The markets apart from all others: forge deals neighbouring contracts to one thread, unless they are all there is. */
function runContracts() {
  const counts = [runForge(['--no-match-path', invariants]), runForge(['--match-path', invariants])];
  return {
    passed: counts[0].passed + counts[1].passed,
    failed: counts[0].failed + counts[1].failed,
    skipped: counts[0].skipped + counts[1].skipped,
    failures: counts.flatMap(({ failures }) => failures),
  };
}

/** profile: of foundry.toml */
function runInvariants(profile) {
  return runForge(['--match-path', invariants], { FOUNDRY_PROFILE: profile });
}

function runForge(only, env = {}) {
  const args = ['test', '--root', root, '--json', ...only];
  const ended = run(forgeBinary(), args, ['ignore', 'pipe', 'inherit'], env);
  const count = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const [file, suite] of Object.entries(parseForge(ended.stdout))) {
    for (const [test, { status: outcome, reason, counterexample }] of Object.entries(suite.test_results)) {
      if (outcome === 'Success') count.passed += 1;
      else if (outcome === 'Skipped') count.skipped += 1;
      else {
        count.failed += 1;
        const says = `${reason ?? 'failed'} ${JSON.stringify(counterexample ?? '')}`;
        count.failures.push({ where: `${file} > ${test}`, says });
        console.log(` × ${file} ${test}: ${says}`);
      }
    }
    const results = Object.values(suite.test_results);
    console.log(
      ` ${results.every(({ status: o }) => o !== 'Failure') ? '✓' : '×'} ${file} (${results.length} tests)`,
    );
  }
  // forge that does not compile prints no results at all.
  if (ended.status === 0 || count.failed > 0) return count;
  return { ...oneFailure('forge', ended), passed: count.passed, skipped: count.skipped };
}

/** A script of ours whose last line is its count; what failed has a line with × before it. */
function runScript(name) {
  const args = [join(root, 'scripts', name), '--json'];
  const ended = run(process.execPath, args, ['ignore', 'pipe', 'inherit']);
  const lines = `${ended.stdout}`.trim().split('\n');
  process.stdout.write(`${lines.slice(0, -1).join('\n')}\n`);
  try {
    const failures = lines
      .filter((line) => line.startsWith(' × '))
      .map((line) => ({ where: name, says: line.slice(3) }));
    return { skipped: 0, ...JSON.parse(lines.at(-1)), failures };
  } catch {
    return oneFailure(name, ended);
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
