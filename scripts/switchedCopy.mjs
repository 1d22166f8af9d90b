/** A copy of contracts and tests in which changes stand behind switches, so that one compilation serves all of them. The
 *  switch is block.coinbase, which nothing else reads and which forge sets by a flag; so whatever is `pure` must be compiled
 *  as `view`. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './compile.mjs';
import { forgeBinary } from './forge.mjs';

const run = promisify(execFile);
const compiled = 'solidity-files-cache.json';
/** bytes. forge's JSON has the trace of the deployment in it, 64 MiB and more; a text of V8 ends at 512 MiB. */
const maxBuffer = 500 * 1024 * 1024;

/** Solidity that is true where change `number` is on. */
export const isOn = (number) => `block.coinbase == address(${number})`;

export function asView(text) {
  return text.replace(/\bpure\b/g, 'view');
}

export class SwitchedCopy {
  /** @param texts path -> text with switches
   *  @param others what becomes of all other sources
   *  @param leftOut paths that are not needed */
  constructor(texts, others, leftOut) {
    this.root = mkdtempSync(join(tmpdir(), 'panthalia-switches-'));
    for (const folder of ['contracts', 'tests/contracts']) {
      for (const path of readdirSync(join(root, folder), { recursive: true })) {
        const file = join(folder, path);
        if (path.endsWith('.sol') && !leftOut.test(file)) this.#write(file, texts, others);
      }
    }
    for (const path of ['tests/fixtures', 'docs/protocol.md'])
      cpSync(join(root, path), join(this.root, path), { recursive: true });
    for (const path of ['node_modules', 'scripts']) symlinkSync(join(root, path), join(this.root, path));
    const settings = readFileSync(join(root, 'foundry.toml'), 'utf8').replace(
      /^gas_limit = .*$/m,
      'gas_limit = 4_000_000_000', // a loop without end is to end
    );
    writeFileSync(join(this.root, 'foundry.toml'), settings);
    mkdirSync(join(this.root, 'cache'), { recursive: true });
  }

  #write(file, texts, others) {
    const text = texts[file] ?? others(readFileSync(join(root, file), 'utf8'));
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), text);
  }

  async compile() {
    const { status, stdout, stderr } = await this.#forge(['build', '--skip', 'script']);
    if (status !== 0) throw new Error(`The sources with switches do not compile: ${stdout}${stderr}`);
  }

  /** forge test with that change on, 0 for none. Each has a cache of its own: forge writes it anew whenever it runs, and another
   *  that reads half of it would compile everything; nor is a change asked about the inputs that another one failed on.
   *  @param longest milliseconds
   *  @returns status: exit code, null if it was ended, isLate: because it took too long; stdout, stderr */
  test(number, args, env, longest) {
    const coinbase = `0x${number.toString(16).padStart(40, '0')}`;
    const cache = join('cache', `${number}`);
    cpSync(join(this.root, 'cache', compiled), join(this.root, cache, compiled));
    const all = ['test', '--threads', '1', '--block-coinbase', coinbase, ...args];
    const own = {
      FOUNDRY_CACHE_PATH: cache,
      FOUNDRY_FUZZ_FAILURE_PERSIST_DIR: cache,
      FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR: cache,
    };
    return this.#forge(all, { ...own, ...env }, longest);
  }

  async #forge(args, env = {}, timeout = 0) {
    const options = { cwd: this.root, env: { ...process.env, ...env }, timeout, killSignal: 'SIGKILL' };
    try {
      const ended = await run(forgeBinary(), [...args, '--root', this.root], { ...options, maxBuffer });
      return { status: 0, isLate: false, ...ended };
    } catch (error) {
      const { code, killed, stdout = '', stderr = '', message } = error;
      if (typeof code === 'number') return { status: code, isLate: false, stdout, stderr };
      if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') throw error; // it was ended for that, and is not late
      return { status: null, isLate: killed === true, stdout, stderr: `${message}\n${stderr}` };
    }
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true });
  }
}
