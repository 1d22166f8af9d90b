/** npm run test:mutation: do the tests notice when a contract is wrong? Each mutant is one small change at one place of the
 *  syntax tree; it is killed if a test fails: first of those near it, with few inputs and then with more, then of all but gas
 *  and random markets. All mutants are compiled at once, each behind a switch, in a copy of the project, so it may run beside
 *  anything; Ctrl-C ends it after the mutants at hand. Exit code 1 if one survived that tests/contracts/mutants.json does not explain.
 *  usage: node scripts/mutate.mjs [contract or library ...] [--every n] [--from n]   every n-th mutant, from the n-th on
 *         node scripts/mutate.mjs [...] --passes n     all of them in n passes of every n-th: what Ctrl-C leaves is a sample
 *         node scripts/mutate.mjs Court --lines 67,90                                 those of these lines, after new tests
 *         node scripts/mutate.mjs [...] --jobs n       n mutants at a time, each on one core
 *         node scripts/mutate.mjs --list [...]                                        print them, run nothing */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import solc from 'solc';
import { root } from './compile.mjs';
import { mutantAt, withSwitches } from './mutants.mjs';
import { asView, SwitchedCopy } from './switchedCopy.mjs';

/** Where to look first for a test that notices; the others are asked only about what survives these. */
const near = {
  Settlement: '{Settlement,Differential}.t.sol',
  Escalation: '{Settlement,Sampling,Differential}.t.sol',
  Sampling: '{Sampling,Differential}.t.sol',
  ParamRules: 'libraries/ParamRules.t.sol',
  SortitionTree: '{libraries/SortitionTree,Differential}.t.sol',
  TraceTree: 'libraries/Trace*.t.sol',
  StateTree: 'libraries/StateTree.t.sol',
  VoteHash: 'Differential.t.sol',
  CheckHash: '{libraries/CheckHash,audit/*,Differential}.t.sol',
  TraceLeaf: 'audit/*.t.sol',
  OuterSteps: 'states/*.t.sol',
  ParamsCode: 'registry/*.t.sol',
  EpochSeed: 'market/*.t.sol',
  TaskIds: 'market/*.t.sol',
  Vault: 'vault/*.t.sol',
  Court: 'court/*.t.sol',
  CaseBook: 'court/*.t.sol',
  CasePanels: 'court/*.t.sol',
  CasePayment: 'court/*.t.sol',
  StepChallenge: 'challenge/*.t.sol',
  TaskMarket: 'market/*.t.sol',
  TaskJudgement: 'market/*.t.sol',
  TaskBook: 'market/*.t.sol',
  Staking: 'staking/*.t.sol',
  SubnetRegistry: 'registry/*.t.sol',
  RandomnessBeacon: 'beacon/*.t.sol',
  Reputation: 'reputation/*.t.sol',
  Audit: 'audit/*.t.sol',
  StateRegistry: 'states/*.t.sol',
  PanthaliaLens: 'lens/*.t.sol',
  ReadsParams: '{market,court,challenge,audit}/*.t.sol',
};
const slowdown = 10; // a mutant that takes so many times what all tests take without it has made a loop endless
const [fewInputs, manyInputs] = ['4', '32']; // of a test that takes random ones: most mutants die by any

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    every: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    passes: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    lines: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
  },
});
const files = Object.fromEntries(
  readdirSync(join(root, 'contracts'), { recursive: true })
    .filter((path) => path.endsWith('.sol') && !path.startsWith('interfaces'))
    .map((path) => [basename(path, '.sol'), join('contracts', path)]),
);
const inFolder = (folder) =>
  Object.keys(files).filter((name) => files[name].startsWith(`contracts/${folder}/`));
const wanted =
  positionals.length > 0
    ? positionals
    : [...inFolder('libraries'), 'Vault', 'Court', ...inFolder('court'), 'Audit'];
const unknown = wanted.filter((name) => !(name in files));
if (unknown.length > 0) {
  console.error(
    `There is no ${unknown.join(', ')} in contracts; there are ${Object.keys(files).join(', ')}.`,
  );
  process.exit(2);
}

const { texts, mutants, constants, invalid } = compilable(wanted.map((name) => files[name]));
const every = Number(values.every);
const lines = values.lines
  .split(',')
  .filter((line) => line !== '')
  .map(Number);
const chosen = mutants
  .filter(({ number, line }) => !invalid.has(number) && (lines.length === 0 || lines.includes(line)))
  .filter((_, i) => (i + 1) % every === Number(values.from) % every);
if (chosen.length === 0) {
  console.error(`There is no mutant of ${wanted.join(', ')} in every ${values.every} from ${values.from}.`);
  process.exit(2);
}
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    stopped = true;
  });
}
if (values.list) for (const mutant of chosen) console.log(described(mutant));
else process.exitCode = await inCopy((copy) => judgeAll(copy));

/** @returns exit code */
async function inCopy(judge) {
  const others = (text) => called(asView(text), constants);
  const copy = new SwitchedCopy(texts, others, /^tests\/contracts\/(gas|invariant|formal)\b/);
  try {
    return (await judge(copy)) ? 0 : 1;
  } finally {
    copy.remove();
  }
}

/** @returns whether all that survived is explained, and all that is explained survived */
async function judgeAll(copy) {
  const explained = readExplained();
  const longest = await tried(copy);
  const counts = new Map(wanted.map((name) => [name, { killed: 0, survived: 0, explained: 0, endless: 0 }]));
  const queue = inPasses(chosen, Number(values.passes)).values();
  const work = async () => {
    for (const mutant of queue) {
      if (stopped) return;
      try {
        await judge(copy, mutant, counts.get(basename(mutant.file, '.sol')), explained, longest);
      } catch (error) {
        console.error(error.message); // what was judged until then is told all the same
        stopped = true;
      }
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  const total = { killed: 0, survived: 0, explained: 0, endless: 0 };
  for (const [name, count] of counts) {
    for (const key of Object.keys(total)) total[key] += count[key];
    const all = chosen.filter(({ file }) => file === files[name]).length;
    const judged = count.killed + count.survived;
    console.log(`${name}: ${sentence(count)}${judged < all ? `; ${all - judged} were not judged` : ''}`);
  }
  console.log(
    `${sentence(total)}; ${invalid.size} do not compile; every ${every} of them from ${values.from}`,
  );
  if (stopped) console.log('stopped before the end');
  const stale =
    chosen.length === mutants.length - invalid.size && !stopped
      ? [...explained.values()].filter(({ isMet }) => !isMet)
      : [];
  for (const { file, line, change } of stale)
    console.log(` × tests/contracts/mutants.json explains what does not survive: ${file} ${line} ${change}`);
  return total.survived === total.explained && stale.length === 0 && !stopped;
}

/** The first of every n, then the second ones, and so on. */
function inPasses(list, passes) {
  return Array.from({ length: passes }, (_, pass) => list.filter((_, i) => i % passes === pass)).flat();
}

async function judge(copy, mutant, count, explained, longest) {
  const end = await endOf(copy, mutant, longest);
  if (end === 'endless') count.endless += 1;
  count[end === null ? 'survived' : 'killed'] += 1;
  if (end !== null) return;
  const known = explained.get(keyOf(mutant));
  if (known !== undefined) {
    known.isMet = true;
    count.explained += 1;
  }
  console.log(` × ${described(mutant)}${known === undefined ? '' : `   (${known.why})`}`);
}

/** @returns as of `fails`, by the first tests that notice */
async function endOf(copy, { number, file }, longest) {
  const nearby = ['--match-path', `tests/contracts/${near[basename(file, '.sol')] ?? '*'}`];
  return (
    (await fails(copy, number, nearby, fewInputs, longest)) ??
    (await fails(copy, number, nearby, manyInputs, longest)) ??
    (await fails(copy, number, [], manyInputs, longest))
  );
}

function sentence({ killed, survived, explained, endless }) {
  const share = ((100 * killed) / Math.max(1, killed + survived)).toFixed(1);
  const loops = endless > 0 ? `, ${endless} of them by a loop without end` : '';
  return `${killed} of ${killed + survived} killed (${share} %)${loops}, ${survived} survived, ${explained} of them with a reason`;
}

function described(mutant) {
  return `${mutant.file}:${mutant.line} ${mutant.what}: ${oneLine(mutant.before)} -> ${oneLine(mutant.after) || 'nothing'}`;
}

function oneLine(text) {
  return text.replace(/\s+/g, ' ');
}

/** By the text of its line: the number of the line would change with every edit above it. */
function keyOf({ file, text, before, after }) {
  return [basename(file, '.sol'), text, `${oneLine(before)} -> ${oneLine(after) || 'nothing'}`].join('\n');
}

/** Survivors among `wanted` that change nothing, or nothing that a test could see, and why. */
function readExplained() {
  const list = JSON.parse(readFileSync(join(root, 'tests/contracts/mutants.json'), 'utf8'));
  return new Map(
    list
      .filter(({ file }) => wanted.includes(file))
      .map(({ file, line, change, why }) => [
        [file, line, change].join('\n'),
        { file, line, change, why, isMet: false },
      ]),
  );
}

/** Sources with switches, without those of mutants that the compiler refuses. */
function compilable(paths) {
  const analysed = analyse(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const sources = Object.fromEntries(
    paths.map((path) => [
      path,
      { ast: analysed.sources[path].ast, source: readFileSync(join(root, path), 'utf8') },
    ]),
  );
  const invalid = new Set();
  for (;;) {
    const switched = withSwitches(sources, invalid);
    const texts = Object.fromEntries(
      Object.entries(switched.texts).map(([path, text]) => [path, asView(text)]),
    );
    const errors = analyse(Object.entries(texts), asView, switched.constants).errors ?? [];
    const fatal = errors.filter(({ severity }) => severity === 'error');
    if (fatal.length === 0) return { ...switched, texts, invalid };
    const before = invalid.size;
    for (const { sourceLocation } of fatal) {
      const number = mutantAt(texts[sourceLocation?.file] ?? '', sourceLocation?.start ?? 0);
      if (number !== null) invalid.add(number);
    }
    if (invalid.size === before)
      throw new Error(`The sources with switches do not compile: ${fatal[0].formattedMessage}`);
  }
}

/** Syntax trees and errors; nothing is translated. @param entries [path, text] */
function analyse(entries, edit = (text) => text, constants = []) {
  const given = Object.fromEntries(entries);
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(entries.map(([path, content]) => [path, { content }])),
    settings: { outputSelection: { '*': { '': ['ast'] } } },
  };
  const load = (path) => {
    const place = path
      .replace(/^@openzeppelin/, 'node_modules/@openzeppelin')
      .replace(/^solady/, 'node_modules/solady/src');
    const text = readFileSync(join(root, place), 'utf8');
    return {
      contents: place.startsWith('contracts') && !(place in given) ? called(edit(text), constants) : text,
    };
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: load }));
  return output;
}

/** Constants of libraries that are functions now, as others name them. */
function called(text, constants) {
  return constants.reduce(
    (edited, name) => edited.replace(new RegExp(`(\\b[A-Z]\\w+\\.${name}\\b)(?!\\()`, 'g'), '$1()'),
    text,
  );
}

/** The tests without any change.
 *  @returns milliseconds that those of a mutant may take */
async function tried(copy) {
  await copy.compile();
  const start = Date.now();
  if ((await fails(copy, 0, [], manyInputs, undefined)) !== null)
    throw new Error('The tests fail without any change (npm test contracts).');
  const taken = Date.now() - start;
  console.log(`${chosen.length} mutants; all tests take ${(taken / 1000).toFixed(1)} s`);
  return slowdown * taken;
}

/** @returns null if all tests pass with that mutant, else how one failed; anything else is our own fault, and thrown */
async function fails(copy, number, only, inputs, longest) {
  const skipped = ['--no-match-test', 'everyContractIsBelow22000Bytes']; // a switch takes room
  const { status, isLate, stdout, stderr } = await copy.test(
    number,
    ['--fail-fast', ...skipped, ...only],
    { FOUNDRY_FUZZ_RUNS: inputs },
    longest,
  );
  if (status === 0 && /\b[1-9]\d* tests passed/.test(stdout)) return null;
  if (status === 1 && /^\[FAIL\b/m.test(stdout)) return 'failed';
  if (isLate) return 'endless';
  throw new Error(`forge says nothing about mutant ${number} (status ${status}): ${stdout}${stderr}`);
}
