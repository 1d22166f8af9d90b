/** What happens to the process around the addon: exit and crash in the middle of a step. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureAddon } from '../../src/engine/buildAddon.js';
import { options } from '../helpers/engine.js';

const execute = promisify(execFile);
const { batch, ...rest } = options({
  model: { vocabSize: 512, blockSize: 128, layers: 4, heads: 4, width: 256 },
  batch: { rows: 16, tokens: 128 },
});
const setting = JSON.stringify({ ...rest, rows: batch.rows, tokens: batch.tokens, microBatches: 1 });

let addonPath = '';
beforeAll(async () => {
  addonPath = (await ensureAddon({ log: () => {} })).path;
}, 300_000);

/** Runs `body` in a fresh Node; it sees `trainer`, initialised, and `step()`. Returns stdout; a crash rejects. */
async function inNode(body: string): Promise<string> {
  const program = `
    const { NativeTrainer } = require(${JSON.stringify(addonPath)});
    const trainer = new NativeTrainer(${setting});
    const tokens = new Int32Array(${batch.rows * batch.tokens}).fill(3);
    const step = () => trainer.innerStep(tokens, tokens, { stepSize: 0, secondMomentScale: 0, decay: 0 });
    trainer.initialise(new Uint8Array(32)).then(async () => { ${body} });`;
  const { stdout } = await execute(process.execPath, ['--expose-gc', '-e', program]);
  return stdout.trim();
}

describe('a process with the addon', () => {
  it('exits cleanly in the middle of a step', async () => {
    expect(await inNode('step(); setTimeout(() => { console.log("leaving"); process.exit(0); }, 5);')).toBe(
      'leaving',
    );
  });

  it('ends by itself when only an idle trainer is left, disposed or not', async () => {
    expect(await inNode('console.log((await trainer.stateRoot()).length);')).toBe('32');
  });

  it('keeps a trainer alive while its step runs, and lets the collector have it after', async () => {
    const body = `
      const make = () => new NativeTrainer(${setting});
      let onGone;
      const gone = new Promise((resolve) => { onGone = resolve; });
      const registry = new FinalizationRegistry((name) => onGone(name));
      registry.register(make(), 'gone');
      const running = make().initialise(new Uint8Array(32));
      global.gc();
      await running;
      const timer = setInterval(() => global.gc(), 5);
      console.log(await gone);
      clearInterval(timer);
      registry.unregister(trainer);`;
    expect(await inNode(body)).toBe('gone');
  });

  it('is told that its working directory is gone, instead of being ended by MKL', async () => {
    const body = `
      const folder = require('node:fs').mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'panthalia-'));
      process.chdir(folder);
      require('node:fs').rmdirSync(folder);
      try { new NativeTrainer(${setting}); } catch (error) { console.log(error.code, error.message); }`;
    expect(await inNode(body)).toMatch(/^IO the working directory must exist/);
  });

  it('can load it in a worker thread that is terminated in the middle of a step', async () => {
    const body = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(\`
        const { NativeTrainer } = require(${JSON.stringify(addonPath)});
        const trainer = new NativeTrainer(${setting});
        const tokens = new Int32Array(${batch.rows * batch.tokens});
        trainer.initialise(new Uint8Array(32)).then(() => {
          trainer.innerStep(tokens, tokens, { stepSize: 0, secondMomentScale: 0, decay: 0 });
          require('node:worker_threads').parentPort.postMessage('stepping');
        });\`, { eval: true });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
      console.log((await trainer.stateRoot()).length);`;
    expect(await inNode(body)).toBe('32');
  });
});
