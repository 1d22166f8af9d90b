/** A training step in a process of its own that runs blocks of steps when told to, and the share of the machine that others
 *  took meanwhile. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

/** One tick of /proc/stat, on every Linux that Node runs on. */
const tickMs = 10;

export class Contestant {
  #child;
  #lines;

  /** command: program and arguments. The process answers with one line of facts when it is ready to compute. */
  static async start({ command, env = {}, threads }) {
    const contestant = new Contestant();
    const started = performance.now();
    contestant.#child = spawn(command[0], command.slice(1), {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: String(threads), ...env },
    });
    contestant.#lines = createInterface({ input: contestant.#child.stdout })[Symbol.asyncIterator]();
    contestant.facts = await contestant.#answer(command);
    contestant.startMs = performance.now() - started;
    return contestant;
  }

  /** returns {losses, milliseconds, cpuMilliseconds, peakBytes, others, steal}; the last two as shares of the whole machine */
  async block(steps) {
    const before = cpuTicks();
    const begin = performance.now();
    this.#child.stdin.write(`block ${steps}\n`);
    const result = await this.#answer();
    const whole = (performance.now() - begin) * availableParallelism();
    const after = cpuTicks();
    const busy = (after.busy - before.busy) * tickMs;
    return {
      ...result,
      others: Math.max(0, busy - result.cpuMilliseconds) / whole,
      steal: ((after.steal - before.steal) * tickMs) / whole,
    };
  }

  /** returns {stateRoot, milliseconds}; ours only */
  async root() {
    this.#child.stdin.write('root\n');
    return this.#answer();
  }

  async end() {
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end('end\n');
    await exited;
  }

  kill() {
    this.#child?.kill('SIGKILL');
  }

  async #answer(command = []) {
    const { value, done } = await this.#lines.next();
    if (done)
      throw new Error(`a contestant ended without an answer: ${command.join(' ') || 'during a block'}`);
    return JSON.parse(value);
  }
}

/** source: proc(5), /proc/stat: user nice system idle iowait irq softirq steal */
function cpuTicks() {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busy: user + nice + system + irq + softirq, steal };
}
