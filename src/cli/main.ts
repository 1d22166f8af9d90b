/** Runs one command, and holds the only catch and the only exit. */
import { PanthaliaError } from '../errors.js';
import { encodeJson } from '../events/line.js';
import { type CommandIo, Interruption } from './io.js';
import { problemEnvelope, problemOf, problemText } from './problem.js';
import { buildProgram } from './program.js';

/** npm passes a Ctrl-C on to a program that the terminal has told already. Another signal is no echo of it. */
const echoMs = 250;

const wantsJson = process.argv.includes('--json');
const isQuiet = process.argv.includes('--quiet') || process.argv.includes('-q');

const io: CommandIo = {
  print: (line) => void process.stdout.write(`${line}\n`),
  say: (line) => void (isQuiet || process.stderr.write(`${line}\n`)),
  isWatched: process.stderr.isTTY === true && !isQuiet,
  fail: (error) => {
    const problem = problemOf(error);
    if (problem === null) return 0;
    process.stderr.write(`${problemText(problem)}\n`);
    process.exitCode = problem.exitCode;
    return problem.exitCode;
  },
  signal: interruptionSignal(),
};

let exitCode: number;
try {
  await buildProgram(io).parseAsync();
  exitCode = Number(process.exitCode ?? 0);
} catch (error) {
  io.fail(error);
  const problem = problemOf(error);
  if (problem !== null && wantsJson) io.print(encodeJson(problemEnvelope(problem)));
  exitCode = problem?.exitCode ?? 0;
}
// A slow reader of a pipe has not taken everything yet, and leaving would throw the rest away: the summary, most of all.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
// A short answer is over before it turns out that the disk has no room for it.
if (exitCode === 0 && io.signal.reason instanceof PanthaliaError) exitCode = io.fail(io.signal.reason);
process.exit(exitCode);

/** The first signal asks the command to end; the second ends this process, and the leash takes the children. */
function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  let first: { signal: string; ms: number } | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const interruption = new Interruption(signal);
      const nowMs = performance.now();
      if (!controller.signal.aborted) first = { signal, ms: nowMs };
      else if (signal !== first?.signal || nowMs - first.ms > echoMs)
        process.exit(problemOf(interruption)?.exitCode);
      controller.abort(interruption);
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => controller.abort(lossOf(error)));
  process.stderr.on('error', () => {});
  return controller.signal;
}

/** A reader that went away (`| head`) has what it wanted, and can not be told anything; whoever reads a file later has not. */
function lossOf(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return new Interruption('SIGPIPE');
  return new PanthaliaError('error', `What was asked for can not be written to stdout (${error.code}).`, {
    code: 'output.not_written',
    next: 'look whether the disk is full: df -h',
    cause: error,
  });
}
