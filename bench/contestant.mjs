/** A training step in a process of its own that runs blocks of steps when told to, and the share of the machine that others
 *  took meanwhile. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

/** One tick of /proc/stat, on every Linux that Node runs on. */
const tickMs = 10;
/** Characters of stderr that are kept. */
const mostWords = 1 << 16;

/** Of all that a program said before it failed, the line that tells why: Node has stack and version after it, Python the stack before. */
export function reasonOf(words) {
  const lines = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.findLast((line) => /^[\w.]*Error\b.*: /.test(line)) ?? lines.at(-1) ?? 'without a word';
}

export class Contestant {
  #child;
  #lines;
  #ended;
  #words = '';

  /** command: program and arguments. The process answers with one line of facts when it is ready to compute. */
  static async start({ command, env = {}, threads }) {
    const contestant = new Contestant();
    const started = performance.now();
    contestant.#child = spawn(command[0], command.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, OMP_NUM_THREADS: String(threads), ...env },
    });
    contestant.#listen();
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

  /** Passes on what it says on stderr, and keeps it: it is why it ended. */
  #listen() {
    this.#ended = once(this.#child, 'close').then(
      () => reasonOf(this.#words),
      (error) => error.message,
    );
    this.#child.stderr.setEncoding('utf8').on('data', (words) => {
      process.stderr.write(words);
      this.#words = (this.#words + words).slice(-mostWords);
    });
  }

  async #answer(command = []) {
    const { value, done } = await this.#lines.next();
    if (done) {
      const what = command.join(' ') || 'during a block';
      throw new Error(`a contestant ended without an answer (${await this.#ended}): ${what}`);
    }
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
