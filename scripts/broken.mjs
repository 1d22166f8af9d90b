/** npm test broken: do the random markets notice a contract that breaks an invariant? tests/contracts/invariant/broken.json
 *  breaks each of them at one place. A break counts as seen if npm run test:invariants fails on it, and with the sentence
 *  that is about this invariant. Prints a row a break: what saw it, in which market of 500 actions and at which of them.
 *  usage: node scripts/broken.mjs [--json] [number of an invariant ...] */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './compile.mjs';
import { asView, isOn, SwitchedCopy } from './switchedCopy.mjs';

const wanted = process.argv.slice(2).filter((argument) => argument !== '--json');
const list = JSON.parse(readFileSync(join(root, 'tests/contracts/invariant/broken.json'), 'utf8'));
const texts = broken();
const copy = new SwitchedCopy(texts, asView, /^tests\/contracts\/(?!invariant|support)/);
const count = { passed: 0, failed: 0 };
try {
  await copy.compile();
  for (const [i, entry] of list.entries()) {
    if (wanted.length > 0 && !wanted.includes(String(entry.invariant))) continue;
    const seen = await play(i + 1);
    const isSeen = seen.says !== null && new RegExp(`^(${entry.says})`).test(seen.says);
    count[isSeen ? 'passed' : 'failed'] += 1;
    const says = (seen.says ?? 'not seen').replace(/: \w+ \S+ \w+$/, ''); // without the two values
    console.log(`${isSeen ? ' ✓' : ' ×'} ${entry.invariant} | ${entry.what} | ${says} | ${seen.when}`);
  }
} finally {
  copy.remove();
}
console.log(JSON.stringify(count));
process.exitCode = count.failed > 0 ? 1 : 0;

/** Path -> source with all its breaks in it, each behind a switch. */
function broken() {
  const texts = {};
  list.forEach(({ invariant, file, place, instead }, i) => {
    const path = join('contracts', file);
    const text = texts[path] ?? asView(readFileSync(join(root, path), 'utf8'));
    if (text.split(place).length !== 2)
      throw new Error(
        `${path} has ${text.split(place).length - 1} times what breaks invariant ${invariant}, expected one: ${place} (tests/contracts/invariant/broken.json)`,
      );
    texts[path] = text.replace(place, () => instead.replaceAll('BROKEN', isOn(i + 1)));
  });
  return texts;
}

/** A failure at the end of a market does not end forge's run, as one of an action does: so few markets are played first.
 *  @returns says: the sentence that failed, or null; when: in which market and at which of its actions */
async function play(number) {
  for (const markets of [4, 16, 64, 256]) {
    const seen = await playMarkets(number, markets);
    if (seen.says !== null) return seen;
  }
  return { says: null, when: '256 markets' };
}

async function playMarkets(number, markets) {
  const only = ['--json', '--match-contract', '^InvariantsTest$', '--match-test', 'invariant_'];
  const env = {
    FOUNDRY_PROFILE: 'ci',
    FOUNDRY_INVARIANT_RUNS: String(markets),
    FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: '0',
  };
  const { stdout, stderr } = await copy.test(number, only, env);
  const start = stdout.search(/^\{"tests\//m); // before it stand events, one a line
  if (start < 0) throw new Error(`forge says nothing about ${list[number - 1].what}: ${stdout}${stderr}`);
  const [suite] = Object.values(JSON.parse(stdout.slice(start)));
  const [{ status, reason, kind, counterexample }] = Object.values(suite.test_results);
  if (status === 'Success') return { says: null };
  const { runs } = kind.Invariant;
  const actions = counterexample?.Sequence?.[0];
  const isAtTheEnd = actions === undefined || runs === markets;
  const when = isAtTheEnd ? `the end of one of ${markets} markets` : `market ${runs + 1}, action ${actions}`;
  return { says: reason ?? '', when };
}
