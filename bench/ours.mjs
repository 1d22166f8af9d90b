/** Our training step as a child process of bench/step.mjs; speaks as bench/nanogpt.py does: `block N` on stdin, one JSON line back.
 *  node bench/ours.mjs '{"opset","device","precision","threads","model","batch","parameters","batches","learningRate"}'
 *  With "prepare": seed, it writes the parameter file of that seed instead. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

const dist = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);
const [{ createTrainer }, { loadAddon }, { innerConstants, stepScalars }] = await Promise.all(
  ['engine/trainer', 'engine/loadAddon', 'protocol/spec'].map(dist),
);

const { parameters, batches: batchesPath, learningRate, prepare, ...options } = JSON.parse(process.argv[2]);
// nanoGPT's, at a constant learning rate
const inner = {
  ...{ learningRate, warmupSteps: 0, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 1 },
};
const addon = await loadAddon();
const info = addon.buildInfo();
const loadedBytes = process.memoryUsage.rss();
const trainer = await createTrainer({ device: 'cpu', ...options, inner: innerConstants({ inner }) });
if (prepare === undefined) {
  await trainer.loadParameters(parameters);
  await serve();
} else {
  await trainer.initialise(prepare);
  await trainer.saveParameters(parameters);
}
await trainer.dispose();

async function serve() {
  const device = options.device === 'cuda' ? addon.cudaDeviceName() : 'cpu';
  say({ version: info.torchVersion, capability: info.cpuCapability, device, loadedBytes });
  const batches = await readBatches();
  const scalars = stepScalars({ inner, innerSteps: 100_000 }, 0);
  let steps = 0;
  const step = () => trainer.innerStep(batches[steps % batches.length], scalars[steps++]);

  for await (const line of createInterface({ input: process.stdin })) {
    const [command, argument] = line.split(' ');
    if (command === 'end') break;
    say(command === 'root' ? await root() : await block(step, Number(argument)));
  }
}

async function root() {
  const begin = performance.now();
  return { stateRoot: await trainer.stateRoot(), milliseconds: performance.now() - begin };
}

/** nativeMilliseconds: of milliseconds, what the trainer's thread says it took; the rest is Node's. */
async function block(step, count) {
  const [losses, milliseconds, nativeMilliseconds] = [[], [], []];
  const cpu = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    const result = await step();
    milliseconds.push(performance.now() - begin);
    nativeMilliseconds.push(result.milliseconds);
    losses.push(result.loss);
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...{ losses, milliseconds, nativeMilliseconds, cpuMilliseconds: (user + system) / 1000 },
    peakBytes: 1024 * process.resourceUsage().maxRSS,
  };
}

async function readBatches() {
  const { rows, tokens } = options.batch;
  const bytes = await readFile(batchesPath);
  const values = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const count = rows * tokens;
  return Array.from({ length: values.length / (2 * count) }, (_, k) => ({
    inputs: values.slice(2 * k * count, (2 * k + 1) * count),
    targets: values.slice((2 * k + 1) * count, (2 * k + 2) * count),
  }));
}

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
