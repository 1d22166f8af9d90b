/** One training step, ours and PyTorch's, side by side: everybody runs in a process of its own, all are alive at once, and blocks
 *  of steps are run in turn, forwards and backwards, so that a machine that drifts drifts for all of them.
 *
 *    npm run bench:step -- [--model 0.8M|10.65M|124M] [--precision fp32|bf16] [--threads 1|2] [--rounds 7] [--contestants a,b,...]
 *    npm run bench:step -- --device cuda --precision bf16 [--model '124M 64x1024'] [--model '124M 64x1024 tanh'] [--contestants ...]
 *    npm run bench:step -- memory | hash | replay | overhead | products [part of a name]
 *
 *  --busy measures on a machine that is not idle: to try this program out, for no claim.
 *  Without options: all models, fp32, 2 threads. JSON lines on stdout, a Markdown table on stderr.
 *  PYTHON: a Python with torch (python3).   results and what they mean: bench/RESULTS.md */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { Contestant } from './contestant.mjs';
import { interval, median } from './statistics.mjs';
import { builtProgram, commandOf, models, prepare, pythonModes } from './workloads.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', multiple: true },
    precision: { type: 'string', default: 'fp32' },
    device: { type: 'string', default: 'cpu' },
    threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    rounds: { type: 'string', default: '7' },
    contestants: { type: 'string' },
    busy: { type: 'boolean', default: false },
  },
});

/** The other two are for a machine on which they are faster: 0.8M is 1.5 times slower with them. */
const defaultModes = ['eager', 'tuned', 'compile'];
/** What a loss may differ by, relative to the first contestant's. fp32: sums in another order, amplified by nine updates.
 *  bf16: eight bits of mantissa in every product. */
const agreement = { fp32: { first: 2e-6, tenth: 1e-3 }, bf16: { first: 2e-3, tenth: 2e-2 } };
/** A block during which others took more of the machine than this is measured again. */
const idle = { others: 0.05, steal: 0.03, patience: 20 };
const blockMs = 2000;
const gateSteps = 10;

/** Every contestant over one workload.  returns {name: {milliseconds, cpuMilliseconds, ratio?}} per step, and prints it */
async function compare(names, { workload, precision, device, threads, rounds, folder }) {
  const files = await prepare(workload, folder);
  const contestants = new Map();
  try {
    for (const name of names) {
      const command = commandOf(name, { workload, precision, device, threads, files });
      contestants.set(name, await Contestant.start({ command, threads }));
    }
    const blocks = await warm(contestants, precision);
    const measured = new Map(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? names : [...names].reverse()) {
        measured.get(name).push(await quietBlock(contestants.get(name), blocks.get(name)));
      }
    }
    for (const name of names) report(name, { measured, contestants, workload, precision, threads, names });
  } finally {
    for (const contestant of contestants.values()) contestant.kill();
  }
}

/** Ten steps of each: their losses must agree before a timing counts.  returns steps per block */
async function warm(contestants, precision) {
  const [blocks, losses] = [new Map(), new Map()];
  for (const [name, contestant] of contestants) {
    const result = await contestant.block(gateSteps);
    contestant.firstStepMs = result.milliseconds[0];
    losses.set(name, result.losses);
    blocks.set(name, Math.max(1, Math.round(blockMs / median(result.milliseconds))));
  }
  const [[reference, expected]] = losses;
  for (const [name, received] of losses) {
    for (const [step, bound] of [
      [0, agreement[precision].first],
      [gateSteps - 1, agreement[precision].tenth],
    ]) {
      if (Math.abs(received[step] / expected[step] - 1) <= bound) continue;
      throw new Error(
        `the loss of step ${step + 1} must be within ${bound} of ${expected[step]} (${reference}), and ${name} has ${received[step]}`,
      );
    }
  }
  return blocks;
}

async function quietBlock(contestant, steps) {
  for (let attempt = 0; attempt < idle.patience; attempt++) {
    const block = await contestant.block(steps);
    if (flags.busy || (block.others <= idle.others && block.steal <= idle.steal)) return block;
    const share = (100 * Math.max(block.others, block.steal)).toFixed(0);
    console.error(`bench: others took ${share} % of the machine during a block, which is measured again`);
  }
  throw new Error(`the machine must be idle, and ${idle.patience} blocks in a row were disturbed`);
}

const stepMs = (block) => median(block.milliseconds);
const table = [];

function report(name, { measured, contestants, workload, precision, threads, names }) {
  const blocks = measured.get(name);
  const { model, batch } = models[workload];
  const all = blocks.flatMap((block) => block.milliseconds).sort((a, b) => a - b);
  const line = {
    ...{
      row: 'step',
      workload,
      rows: batch.rows,
      tokens: batch.tokens,
      layers: model.layers,
      width: model.width,
    },
    ...{
      contestant: name,
      device: contestants.get(name).facts.device,
      precision,
      threads,
      blocks: blocks.length,
      steps: all.length,
      ...machine(),
    },
    milliseconds: rounded(interval(blocks.map(stepMs))),
    cpuMilliseconds: round(median(blocks.map((block) => block.cpuMilliseconds / block.milliseconds.length))),
    tokensPerSec: round((1000 * batch.rows * batch.tokens) / median(blocks.map(stepMs))),
    startMs: round(contestants.get(name).startMs),
    firstStepMs: round(contestants.get(name).firstStepMs),
    peakMiB: round(blocks.at(-1).peakBytes / 2 ** 20),
    // What PyTorch's allocator held of the device at most.
    ...(blocks.at(-1).deviceBytes > 0 ? { deviceMiB: round(blocks.at(-1).deviceBytes / 2 ** 20) } : {}),
    ratios: {},
  };
  for (const other of names) {
    if (other === name) continue;
    const paired = blocks.map((block, i) => stepMs(measured.get(other)[i]) / stepMs(block));
    line.ratios[other] = rounded(interval(paired));
  }
  if (blocks[0].nativeMilliseconds !== undefined) {
    const outside = blocks.flatMap((block) =>
      block.milliseconds.map((whole, i) => whole / block.nativeMilliseconds[i] - 1),
    );
    line.nodeOverheadPercent = round(100 * median(outside));
  }
  emit(line);
}

/** Peak resident memory of fresh processes after ten steps, less what each had before it knew the model. */
async function memory({ precision, device, threads, rounds, folder, names }) {
  const workload = '10.65M';
  const files = await prepare(workload, folder);
  const peaks = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const command = commandOf(name, { workload, precision, device, threads, files });
      const contestant = await Contestant.start({ command, threads });
      try {
        const { peakBytes } = await contestant.block(gateSteps);
        const own = peakBytes - contestant.facts.loadedBytes;
        peaks.get(name).push({ peak: peakBytes / 2 ** 20, own: own / 2 ** 20 });
      } finally {
        contestant.kill();
      }
    }
  }
  const eager = peaks.get('eager');
  for (const [name, own] of peaks) {
    const of = (what) => rounded(interval(own.map((each) => each[what])));
    const toEager = (what) => rounded(interval(own.map((each, i) => each[what] / eager[i][what])));
    const ratios = eager ? { peakToEager: toEager('peak'), ownToEager: toEager('own') } : {};
    emit({
      ...{ row: 'memory', workload, contestant: name, precision, threads, rounds },
      ...{ peakMiB: of('peak'), ownMiB: of('own'), ...ratios },
    });
  }
}

/** Single products beside at::mm: by groups, the geometric mean of their ratios within a round. The table of bench/gemm.cc is on stderr. */
async function products(part, { threads, rounds }) {
  const program = await builtProgram('panthalia_bench_gemm');
  const child = spawn(program, [threads, rounds, part].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  const [answer] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (child.exitCode !== 0) throw new Error(`panthalia_bench_gemm failed (exit ${child.exitCode})`);
  for (const [group, ratios] of Object.entries(JSON.parse(answer))) {
    for (const [over, values] of Object.entries(ratios)) {
      emit({ row: 'products', group, over, threads, rounds, ...machine(), ratio: rounded(interval(values)) });
    }
  }
}

/** Hashing the state after a step of 4,096 tokens, as a share of the step; of 1,024 tokens: replaying one step of a dispute. */
async function rootAfterStep(row, workload, { device, threads, rounds, folder, names }) {
  const files = await prepare(workload, folder);
  for (const name of names) {
    const command = commandOf(name, { workload, precision: 'fp32', device, threads, files });
    const contestant = await Contestant.start({ command, threads });
    try {
      await contestant.block(1);
      const [steps, roots] = [[], []];
      for (let i = 0; i < rounds; i++) {
        steps.push((await quietBlock(contestant, 1)).milliseconds[0]);
        roots.push((await contestant.root()).milliseconds);
      }
      const [step, root] = [median(steps), median(roots)];
      emit({
        ...{ row, workload, contestant: name, threads, rounds, ...machine() },
        ...{
          stepMs: rounded(interval(steps)),
          rootMs: rounded(interval(roots)),
          rootPercentOfStep: round((100 * root) / step),
        },
      });
    } finally {
      contestant.kill();
    }
  }
}

function machine() {
  return { cpu: cpus()[0].model, cores: availableParallelism() };
}

function emit(line) {
  console.log(JSON.stringify(line));
  table.push(line);
}

function round(value) {
  return Number(value.toPrecision(4));
}

function rounded({ median: middle, low, high }) {
  return { median: round(middle), low: round(low), high: round(high) };
}

/** The lines of a comparison as a table for RESULTS.md. */
function printTable() {
  const steps = table.filter((line) => line.row === 'step');
  if (steps.length === 0) return;
  console.error(
    '\n| workload | precision | threads | contestant | ms/step (90 %) | CPU ms | tok/s | PyTorch, their time / ours |',
  );
  console.error('|---|---|---|---|---|---|---|---|');
  for (const line of steps) {
    const { median: ms, low, high } = line.milliseconds;
    const ratios = Object.entries(line.ratios)
      .filter(() => !pythonModes.includes(line.contestant))
      .map(
        ([other, ratio]) =>
          `${other} ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}-${ratio.high.toFixed(2)})`,
      );
    const { workload, precision, threads, contestant, cpuMilliseconds, tokensPerSec } = line;
    const cells = [
      workload,
      precision,
      threads,
      contestant,
      `${ms} (${low}-${high})`,
      cpuMilliseconds,
      tokensPerSec,
    ];
    console.error(`| ${[...cells, ratios.join(', ')].join(' | ')} |`);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'panthalia-bench-'));
const common = {
  precision: flags.precision,
  device: flags.device,
  threads: Number(flags.threads),
  rounds: Number(flags.rounds),
  folder,
};
const named = flags.contestants?.split(',');
try {
  switch (positionals[0]) {
    case undefined: {
      const names = named ?? [...(common.precision === 'fp32' ? ['canon'] : []), 'torch', ...defaultModes];
      const usual = flags.device === 'cuda' ? ['124M 64x1024'] : ['0.8M', '10.65M', '124M'];
      for (const workload of flags.model ?? usual) await compare(names, { workload, ...common });
      break;
    }
    case 'memory':
      await memory({ ...common, names: named ?? ['canon', 'torch', 'eager', 'tuned'] });
      break;
    case 'hash':
      await rootAfterStep('hash', '124M 4x1024', { ...common, names: named ?? ['canon'] });
      break;
    case 'replay':
      await rootAfterStep('replay', '124M 1x1024', { ...common, names: named ?? ['canon'] });
      break;
    case 'overhead':
      await builtProgram('panthalia_step');
      for (const workload of flags.model ?? ['0.8M'])
        await compare(named ?? ['canon', 'canon-native'], { workload, ...common });
      break;
    case 'products':
      await products(positionals[1] ?? '', common);
      break;
    default:
      throw new Error(
        `expected memory, hash, replay, overhead, products or nothing, received ${positionals[0]}`,
      );
  }
  printTable();
} finally {
  await rm(folder, { recursive: true, force: true });
}
