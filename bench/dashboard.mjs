/** What the dashboard costs: its share of one core at 50 log lines a second on a real pseudo-terminal, at 80x24 and 160x48, and
 *  the heap while 100,000 events go through it.
 *  node bench/dashboard.mjs [seconds per size, default 20]   (after npm run build) */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after, setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';

const linesPerSecond = 50;
const sizes = [
  [80, 24],
  [160, 48],
];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);

/** A whole recorded run first, so that every pane has something to draw; then lines of its selected worker. */
async function open() {
  const [{ openDashboard }, { readJournal }] = await Promise.all(
    ['dashboard/openDashboard', 'events/journal'].map(dist),
  );
  const dashboard = openDashboard({
    ...{ controls: { quit: () => {}, quitNow: () => {} }, title: 'PANTHALIA SIMULATOR V0', hasColors: true },
    plainPrinter: () => () => {},
  });
  const recorded = readJournal(here('../tests/fixtures/cheatRun.jsonl')).filter(
    ({ type }) => type !== 'run.ended',
  );
  for (const event of recorded) dashboard.push(event);
  let seq = recorded.length;
  const tell = () => {
    const line = `2026-01-01 00:00:00,000 - worker_0 - DEBUG - line ${seq} of a log that never ends`;
    const stamp = { v: 1, seq: seq++, t: new Date().toISOString(), run: recorded[0].run, src: 'worker_0' };
    dashboard.push({ ...stamp, type: 'process.log', process: 'worker_0', line });
  };
  return { dashboard, tell };
}

/** In the terminal: CPU time per second of wall time after a warm-up. */
async function draw(seconds, report) {
  const { dashboard, tell } = await open();
  const timer = setInterval(tell, 1000 / linesPerSecond);
  await after(3000);
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  await after(seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 1000 / (performance.now() - begin);
  clearInterval(timer);
  dashboard.close();
  await writeFile(report, JSON.stringify({ share }));
}

/** In the terminal: MiB of heap after a collection, every 20,000 events. */
async function flood(count, report) {
  const { dashboard, tell } = await open();
  const heaps = [];
  for (let i = 1; i <= count; i++) {
    tell();
    if (i % 100 === 0) await nextTurn();
    if (i % 20_000 !== 0) continue;
    await after(200);
    globalThis.gc();
    heaps.push(process.memoryUsage().heapUsed / 1024 ** 2);
  }
  dashboard.close();
  await writeFile(report, JSON.stringify({ heaps }));
}

async function inTerminal([cols, rows], ...args) {
  const folder = await mkdtemp(join(tmpdir(), 'panthalia-bench-'));
  const report = join(folder, 'report.json');
  let drawnBytes = 0;
  const pty = spawn(process.execPath, ['--expose-gc', here('dashboard.mjs'), ...args, report], {
    ...{ cols, rows, name: 'xterm-256color' },
    env: { ...process.env, NODE_ENV: 'production' },
  });
  pty.onData((data) => {
    drawnBytes += data.length;
  });
  try {
    const code = await new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    if (code !== 0) throw new Error(`the dashboard of ${cols}x${rows} ended with ${code}`);
    return { ...JSON.parse(await readFile(report, 'utf8')), drawnBytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [first, second, third] = process.argv.slice(2);
if (first === '--draw') await draw(Number(second), third).then(() => process.exit());
if (first === '--flood') await flood(Number(second), third).then(() => process.exit());

const seconds = Number(first ?? 20);
for (const size of sizes) {
  const { share, drawnBytes } = await inTerminal(size, '--draw', String(seconds));
  const rate = drawnBytes / (seconds + 3) / 1000;
  console.log(
    `${size.join('x').padEnd(8)} ${(100 * share).toFixed(1)} % of one core at ${linesPerSecond} lines/s, ${rate.toFixed(1)} kB/s drawn`,
  );
}
const { heaps } = await inTerminal(sizes[1], '--flood', '100000');
console.log(
  `heap     ${heaps.map((heap) => heap.toFixed(1)).join(' ')} MiB after every 20,000 of 100,000 events`,
);
