/** npm run coverage: every line of contracts/ is run by tests/contracts, every condition is met and refused, and every error is
 *  asked for with its exact arguments; fails where that is not so. Takes minutes: all is compiled anew without optimizations.
 *  forge does not count the two ways out of `require(condition, Error())` where it compiles by the intermediate language, which
 *  our contracts need. So it is given a copy in which each of them is an `if`, on the same lines. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

/** What forge does not see run: assembly, a line that ends a loop, and what only a test that it leaves out runs. File, why, the
 *  lines as they are written. */
const excused = [
  {
    file: 'contracts/libraries/StateTree.sol',
    why: 'every climb ends in it',
    lines: ['return node;'],
  },
  {
    file: 'contracts/libraries/SortitionTree.sol',
    why: 'every level of an update ends in it',
    lines: ['place >>= 2;'],
  },
  {
    file: 'contracts/libraries/ParamsCode.sol',
    why: 'assembly; all parameters are read through it',
    lines: [
      'extcodecopy(code, params, 1, sub(extcodesize(code), 1)) // without the STOP in front',
      'extcodecopy(code, 0, add(1, shl(5, place)), 0x20)',
      'value := mload(0)',
    ],
  },
  {
    file: 'contracts/libraries/TraceTree.sol',
    why: 'assembly; every proof goes through it',
    lines: [
      'sibling := calldataload(add(siblings.offset, shl(5, index)))',
      'let buffer := mload(0x40)',
      'mstore(buffer, shl(216, index)) // 0x00 | u32be index',
      'mstore(add(buffer, 5), value)',
      'hash := keccak256(buffer, 37)',
      'mstore8(buffer, 1)',
      'mstore(add(buffer, 1), left)',
      'mstore(add(buffer, 33), right)',
      'hash := keccak256(buffer, 65)',
    ],
  },
  {
    file: 'contracts/libraries/TaskIds.sol',
    why: 'assembly; every task has an id',
    lines: [
      'let buffer := mload(0x40)',
      'mstore(buffer, chainid())',
      'mstore(add(buffer, 0x20), market)',
      'calldatacopy(add(buffer, 0x40), terms, 0x160)',
      'id := keccak256(buffer, 0x1a0)',
    ],
  },
  {
    file: 'contracts/SubnetRegistry.sol',
    why: 'DeploymentTest asks for it, and reads artifacts',
    lines: ['require(leastWindow_ > 0, LeastWindowIsZero());'],
  },
  {
    file: 'contracts/court/CaseBook.sol',
    why: 'assembly; every case has an id',
    lines: [
      'let at := mload(0x40)',
      'mstore(at, chainid())',
      'mstore(add(at, 0x20), address())',
      'calldatacopy(add(at, 0x40), about, 0xe0)',
      'id := keccak256(at, 0x120)',
    ],
  },
].flatMap(({ file, why, lines }) => lines.map((line) => [file, line, why]));
/** Errors whose arguments no test spells out by name: name, why. */
const excusedErrors = [
  ['NotCourt', 'HookWorld.sol chooses it and NotAudit by the module, and asks for either with its caller'],
  ['NotAudit', 'the same'],
];

const copy = join(root, 'build/coverage/root');
const failures = [];

copyProject();
measure();
const lines = readReport(readFileSync(join(copy, 'lcov.info'), 'utf8'));
for (const { file, line, what } of lines.missed) {
  const source = readFileSync(join(root, file), 'utf8').split('\n')[line - 1].trim();
  const excuse = excused.find(([path, text]) => path === file && text === source);
  if (excuse === undefined) failures.push(`${file}:${line} ${what}: ${source}`);
}
checkErrors();
for (const failure of failures) console.log(` × ${failure}`);
console.log(
  `coverage: ${lines.linesRun} of ${lines.lines} lines, ${lines.branchesRun} of ${lines.branches} conditions, ` +
    `${failures.length} missing, ${excused.length} excused`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function copyProject() {
  mkdirSync(join(copy, 'tests'), { recursive: true });
  for (const folder of ['contracts', 'tests/contracts', 'tests/fixtures', 'scripts'])
    rmSync(join(copy, folder), { recursive: true, force: true });
  for (const path of ['contracts', 'tests/contracts', 'tests/fixtures', 'docs', 'foundry.toml'])
    cpSync(join(root, path), join(copy, path), { recursive: true });
  rmSync(join(copy, 'tests/contracts/gas'), { recursive: true, force: true });
  for (const path of ['node_modules', 'scripts']) {
    rmSync(join(copy, path), { recursive: true, force: true });
    symlinkSync(join(root, path), join(copy, path));
  }
  for (const file of solidityFiles('contracts')) {
    const source = readFileSync(join(root, file), 'utf8');
    writeFileSync(join(copy, file), withoutRequire(source));
  }
}

function measure() {
  const args = [
    'coverage',
    '--root',
    copy,
    '--ir-minimum',
    '--no-match-contract',
    'DeploymentTest|DifferentialTest',
    '--no-match-test',
    'everyEntryPointEveryActionAndEveryStateIsReached', // reads artifacts, and coverage leaves none
  ];
  const report = ['--report', 'lcov', '--report-file', join(copy, 'lcov.info')];
  const { status, stdout, stderr } = spawnSync(forgeBinary(), [...args, ...report], {
    cwd: copy,
    env: { ...process.env, FOUNDRY_PROFILE: 'coverage' },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) {
    console.error(
      `${stdout}${stderr}`
        .split('\n')
        .filter((line) => /FAIL|rror/.test(line))
        .join('\n'),
    );
    console.error('next: npm test contracts');
    process.exit(1);
  }
}

/** Lines of contracts/ that no test ran, and conditions that were never met. */
function readReport(lcov) {
  const report = { lines: 0, linesRun: 0, branches: 0, branchesRun: 0, missed: [] };
  let file = '';
  for (const entry of lcov.split('\n')) {
    const [key, value = ''] = entry.split(/:(.*)/s);
    if (key === 'SF') file = value;
    if (!file.startsWith('contracts/')) continue;
    const numbers = value.split(',');
    if (key === 'DA') count('lines', 'is never run', Number(numbers[0]), numbers[1]);
    // what stands behind an `else` is counted by its lines: forge finds it in the intermediate language now and then only
    if (key === 'BRDA' && numbers[2] === '0')
      count('branches', 'is never true', Number(numbers[0]), numbers[3]);
  }
  return report;

  function count(kind, what, line, hits) {
    report[kind] += 1;
    if (hits !== '0' && hits !== '-') report[`${kind}Run`] += 1;
    else report.missed.push({ file, line, what });
  }
}

/** Every error of contracts/ stands in some test as encodeWithSelector(X.Name.selector, arguments). */
function checkErrors() {
  const tests = solidityFiles('tests/contracts')
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  for (const file of solidityFiles('contracts')) {
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(/^ *error (\w+)\(/gm)) {
      const exact = new RegExp(`encodeWithSelector\\(\\s*\\w+\\.${name}\\.selector`);
      if (exact.test(tests) || excusedErrors.some(([excusedName]) => excusedName === name)) continue;
      failures.push(`${file} error ${name} is asked for by no test with its arguments`);
    }
  }
}

/** `require(c, E(x));` as `if (!(c)) revert E(x);`, on the same lines. */
function withoutRequire(source) {
  let out = '';
  let rest = source;
  for (let at = rest.search(/\brequire\(/); at >= 0; at = rest.search(/\brequire\(/)) {
    const start = at + 'require('.length;
    const { comma, end } = splitArguments(rest, start);
    out += `${rest.slice(0, at)}if (!(${rest.slice(start, comma)})) revert ${rest.slice(comma + 1, end).trimStart()}`;
    // the line breaks that trimStart took
    out += '\n'.repeat(
      lineBreaks(rest.slice(comma + 1, end)) - lineBreaks(rest.slice(comma + 1, end).trimStart()),
    );
    rest = rest.slice(end + 1);
  }
  return out + rest;
}

/** Where the first top-level comma and the closing bracket of a call stand. */
function splitArguments(text, start) {
  let depth = 0;
  let comma = -1;
  for (let at = start; ; at += 1) {
    if (text[at] === '(' || text[at] === '[') depth += 1;
    if (text[at] === ']' || (text[at] === ')' && depth > 0)) depth -= 1;
    else if (text[at] === ')') return { comma, end: at };
    if (text[at] === ',' && depth === 0 && comma < 0) comma = at;
  }
}

function lineBreaks(text) {
  return text.split('\n').length - 1;
}

/** Paths from the project's root. */
function solidityFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((file) => file.endsWith('.sol'))
    .map((file) => join(folder, file));
}
