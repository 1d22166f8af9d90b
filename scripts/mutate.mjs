/** npm run test:mutation: do the tests notice when a library is wrong? Each mutant is one small change at one place of the syntax
 *  tree; it is killed if a test fails. Works in a copy of its own, so it may run beside anything; it takes minutes a file,
 *  and Ctrl-C ends it after the mutant at hand.
 *  usage: node scripts/mutate.mjs [library ...] [--every n] [--from n]     every n-th mutant only, from the n-th on */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import solc from 'solc';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const worldTest = 'libraries/ParamRules.t.sol';
/** Library -> the tests that are to notice. */
const targets = {
  Settlement: ['Settlement.t.sol', 'Differential.t.sol'],
  Escalation: ['Settlement.t.sol', 'Sampling.t.sol', 'Differential.t.sol'],
  Sampling: ['Sampling.t.sol', 'Differential.t.sol'],
  ParamRules: [worldTest],
  SortitionTree: ['libraries/SortitionTree.t.sol', 'Differential.t.sol'],
  TraceTree: ['libraries/TraceTree.t.sol', 'Differential.t.sol'],
  StateTree: ['libraries/StateTree.t.sol'],
  VoteHash: ['Differential.t.sol'],
};

const comparisons = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' };
const operations = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '/',
  '&': '|',
  '|': '&',
  '<<': '>>',
  '>>': '<<',
  '&&': '||',
  '||': '&&',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { every: { type: 'string', default: '1' }, from: { type: 'string', default: '1' } },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(targets);
const unknown = wanted.filter((name) => !(name in targets));
if (unknown.length > 0) {
  console.error(`There is no target ${unknown.join(', ')}; there are ${Object.keys(targets).join(', ')}.`);
  process.exit(2);
}

const copy = mkdtempSync(join(tmpdir(), 'panthalia-mutants-'));
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    stopped = true;
  });
}
const total = { killed: 0, survived: 0, invalid: 0 };
try {
  for (const name of wanted) await judge(name);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
const { killed, survived, invalid } = total;
console.log(`${killed} killed, ${survived} survived, ${invalid} do not compile: ${share(total)} % killed`);
if (stopped) console.log('stopped before the end');
process.exitCode = survived === 0 && !stopped ? 0 : 1;

async function judge(name) {
  const path = `contracts/libraries/${name}.sol`;
  prepare(targets[name]);
  if (stopped) return;
  if (run() !== 'survived') throw new Error(`the tests of ${name} fail without any change`);
  const source = readFileSync(join(root, path), 'utf8');
  const mutants = mutantsOf(path, source).filter(
    (_, i) => i + 1 >= Number(values.from) && (i + 1 - Number(values.from)) % Number(values.every) === 0,
  );
  const count = { killed: 0, survived: 0, invalid: 0 };
  for (const { start, end, text, what } of mutants) {
    await turn(); // signals are heard between two mutants
    if (stopped) break;
    writeFileSync(join(copy, path), source.slice(0, start) + text + source.slice(end));
    const outcome = run();
    count[outcome] += 1;
    const line = source.slice(0, start).split('\n').length;
    if (outcome === 'survived')
      console.log(` × ${path}:${line} ${what}: ${source.slice(start, end)} -> ${text}`);
  }
  writeFileSync(join(copy, path), source);
  for (const key of Object.keys(total)) total[key] += count[key];
  console.log(
    `${name}: ${count.killed} of ${count.killed + count.survived} killed (${share(count)} %), ${count.invalid} do not compile`,
  );
}

function share({ killed: dead, survived: alive }) {
  return ((100 * dead) / Math.max(1, dead + alive)).toFixed(1);
}

/** Sources and the tests of one target, compiled the quick way. */
function prepare(tests) {
  for (const folder of ['tests', 'contracts']) rmSync(join(copy, folder), { recursive: true, force: true });
  // a test of the world deploys contracts from their artifacts, which are compiled as always
  const whole = tests.includes(worldTest);
  const sources = whole ? ['contracts'] : ['contracts/libraries', 'contracts/interfaces'];
  for (const folder of [...sources, 'scripts', 'tests/contracts/support']) {
    cpSync(join(root, folder), join(copy, folder), { recursive: true });
  }
  for (const test of tests) cpSync(join(root, 'tests/contracts', test), join(copy, 'tests/contracts', test));
  cpSync(join(root, 'tests/fixtures'), join(copy, 'tests/fixtures'), { recursive: true });
  rmSync(join(copy, 'node_modules'), { force: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const settings = readFileSync(join(root, 'foundry.toml'), 'utf8');
  const quick = settings
    .replace(/^additional_compiler_profiles[\s\S]*?^\]\n/m, '')
    .replace('via_ir = true', 'via_ir = false')
    .replace('optimizer = true', 'optimizer = false');
  writeFileSync(join(copy, 'foundry.toml'), whole ? settings : quick);
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}\n');
  mkdirSync(join(copy, 'cache'), { recursive: true });
}

function run() {
  const { status, stdout, stderr } = spawnSync(forgeBinary(), ['test', '--root', copy, '--fail-fast'], {
    cwd: copy,
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (status === 0) return 'survived';
  return /Compilation failed|Compiler run failed/.test(stdout + stderr) ? 'invalid' : 'killed';
}

/** Every change at every place. start and end are offsets in the source. */
function mutantsOf(path, source) {
  const input = {
    language: 'Solidity',
    sources: { [path]: { content: source } },
    settings: { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } },
  };
  const { sources, errors } = JSON.parse(solc.compile(JSON.stringify(input)));
  if (sources?.[path]?.ast === undefined) throw new Error(`${basename(path)}: ${errors?.[0]?.message}`);
  const found = [];
  visit(sources[path].ast, (node) => {
    const [start, length] = node.src.split(':').map(Number);
    const whole = { start, end: start + length };
    const text = (part) => {
      const [from, size] = part.src.split(':').map(Number);
      return source.slice(from, from + size);
    };
    found.push(...changesOf(node, whole, text));
  });
  return found;
}

function changesOf(node, at, text) {
  const is = (name) => node.expression?.name === name;
  if (node.nodeType === 'BinaryOperation') {
    const [left, right] = [text(node.leftExpression), text(node.rightExpression)];
    const other = comparisons[node.operator] ?? operations[node.operator];
    if (other === undefined) return [];
    const what = node.operator in comparisons ? 'comparison' : 'operation';
    return [{ ...at, text: `${left} ${other} ${right}`, what }];
  }
  if (node.nodeType === 'Literal' && node.kind === 'number' && /^\d+$/.test(node.value)) {
    return [{ ...at, text: String(Number(node.value) + 1), what: 'constant + 1' }];
  }
  if (node.nodeType === 'ExpressionStatement') {
    const { expression } = node;
    const isRequire = expression.nodeType === 'FunctionCall' && expression.expression.name === 'require';
    if (isRequire) return [{ ...at, text: '', what: 'no require' }];
    if (expression.nodeType === 'Assignment') return [{ ...at, text: '', what: 'no store' }];
    if (expression.nodeType === 'FunctionCall') return [{ ...at, text: '', what: 'no call' }];
  }
  if (node.nodeType === 'FunctionCall' && node.expression?.memberName === 'ceilDiv') {
    const [a, b] = node.arguments.map(text);
    return [{ ...at, text: `((${a}) / (${b}))`, what: 'rounding' }];
  }
  if (node.nodeType === 'Conditional') {
    const [yes, no] = [text(node.trueExpression), text(node.falseExpression)];
    return [{ ...at, text: `${text(node.condition)} ? ${no} : ${yes}`, what: 'branches' }];
  }
  if (node.nodeType === 'FunctionCall' && node.arguments.length > 1 && !is('require')) {
    const { arguments: args } = node;
    const [first, second] = [args[0], args[1]].map((part) => part.src.split(':').map(Number));
    const between = { start: first[0], end: second[0] + second[1] };
    return [{ ...between, text: `${text(args[1])}, ${text(args[0])}`, what: 'arguments' }];
  }
  return [];
}

function visit(node, see) {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const part of node) visit(part, see);
    return;
  }
  if (typeof node.src === 'string' && node.nodeType !== undefined) see(node);
  // what an error reports changes nothing that is paid
  const skipped = node.nodeType === 'FunctionCall' && node.expression?.name === 'require';
  for (const [key, part] of Object.entries(node)) {
    if (skipped && key === 'arguments') visit(part.slice(0, 1), see);
    else visit(part, see);
  }
}
