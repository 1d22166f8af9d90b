/** npm run gas: what transactions and bytecode cost, against the files in tests/contracts/gas/snapshots and the bars of gasBars.mjs.
 *  Fails where something costs more than a hundredth more, or misses a bar that is not accepted as missed. With --write: takes over
 *  what was measured, and no bar.
 *  With --json (of npm test): the last line is {"passed":n,"failed":m}. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';
import { barsOf } from './gasBars.mjs';

const tolerance = 0.01;
const kept = join(root, 'tests/contracts/gas/snapshots');
const fresh = join(root, 'cache', `gas.${process.pid}`);

const failures = [];
let passed = 0;
try {
  const measured = { ...measureGas(), bytecode: measureBytecode() };
  if (process.argv.includes('--write')) write(measured);
  else compare(measured);
  barsOf(measured).forEach(judgeBar);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
for (const failure of failures) console.log(` × ${failure}`);
if (failures.length > 0)
  console.log(
    'next: make it cheaper, or take it over: figures with npm run gas -- --write, bars in scripts/gasBars.mjs',
  );
console.log(
  process.argv.includes('--json')
    ? JSON.stringify({ passed, failed: failures.length })
    : `gas: ${passed} figures and bars kept, ${failures.length} not`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

/** Group -> name -> gas. */
function measureGas() {
  const args = ['test', '--root', root, '--match-path', 'tests/contracts/gas/*'];
  const env = { ...process.env, FORGE_SNAPSHOT_EMIT: 'true', FOUNDRY_SNAPSHOTS: fresh };
  const { status, stdout, stderr } = spawnSync(forgeBinary(), args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) {
    console.error(`${stdout}${stderr}`);
    process.exit(1);
  }
  return readGroups(fresh);
}

/** Contract -> bytes of deployed code. */
function measureBytecode() {
  const folders = ['contracts', 'contracts/randomness'];
  const contracts = folders
    .flatMap((folder) => readdirSync(join(root, folder)))
    .filter(isSource)
    .sort();
  const sizes = contracts.map((file) => {
    const artifact = JSON.parse(
      readFileSync(join(root, 'out', file, `${basename(file, '.sol')}.json`), 'utf8'),
    );
    return [basename(file, '.sol'), String(artifact.deployedBytecode.object.length / 2 - 1)];
  });
  return Object.fromEntries(sizes);
}

function isSource(name) {
  return name.endsWith('.sol');
}

function compare(measured) {
  const expected = readGroups(kept);
  for (const group of new Set([...Object.keys(expected), ...Object.keys(measured)])) {
    const names = new Set([...Object.keys(expected[group] ?? {}), ...Object.keys(measured[group] ?? {})]);
    for (const name of names) judge(`${group}: ${name}`, expected[group]?.[name], measured[group]?.[name]);
  }
}

function judge(name, before, after) {
  if (before === undefined) failures.push(`${name} costs ${after} and stands in no snapshot`);
  else if (after === undefined) failures.push(`${name} stands in a snapshot and is not measured any more`);
  else if (Number(after) > Number(before) * (1 + tolerance))
    failures.push(`${name} costs ${after}, before ${before} (${percent(after, before)})`);
  else {
    passed += 1;
    if (Number(after) < Number(before) * (1 - tolerance))
      console.log(` ✓ ${name} costs ${after}, before ${before} (${percent(after, before)}): take it over`);
  }
}

/** An accepted miss may grow as little as a figure of a snapshot. */
function judgeBar({ name, bar, value, accepted }) {
  const says = `${name}: ${value}, bar ${bar}`;
  if (value <= bar) {
    passed += 1;
    console.log(` ✓ ${says}${accepted === undefined ? '' : ': met, so it need not be accepted any more'}`);
    return;
  }
  const [most, why] = accepted ?? [0, ''];
  if (value <= most * (1 + tolerance)) {
    passed += 1;
    console.log(` ! ${says}: missed by ${percent(value, bar)}, accepted at ${most} (${why})`);
  } else {
    const taken = accepted === undefined ? 'which is not accepted' : `accepted at ${most}`;
    failures.push(`${says}: missed by ${percent(value, bar)}, ${taken}`);
  }
}

function percent(after, before) {
  const change = (Number(after) / Number(before) - 1) * 100;
  return `${change > 0 ? '+' : ''}${change.toFixed(1)} %`;
}

function write(measured) {
  mkdirSync(kept, { recursive: true });
  for (const file of readdirSync(kept)) rmSync(join(kept, file));
  for (const [group, figures] of Object.entries(measured)) {
    const sorted = Object.fromEntries(Object.entries(figures).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(join(kept, `${group}.json`), `${JSON.stringify(sorted, null, 2)}\n`);
  }
  console.log(`written: ${kept}`);
}

function readGroups(folder) {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.name.endsWith('.json'));
  return Object.fromEntries(
    files.map(({ name }) => [basename(name, '.json'), JSON.parse(readFileSync(join(folder, name), 'utf8'))]),
  );
}
