/** npm ci (as postinstall) and npm run build: everything that is built on this machine. Each step looks first whether it is
 *  up to date; a step that fails says in one sentence what and how to mend it, and the exit code is that of its family. */
import { constants } from 'node:os';
import { compile } from './compile.mjs';

const started = Date.now();
const problem = compile();
if (problem !== null) {
  console.error(`${problem}\nnext: npm ci && npm run check`);
  process.exit(4);
}
const { setUp } = await import('../dist/actions/setup.js');
// The compiler runs in a process group of its own, where a Ctrl-C at the terminal does not reach it.
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    interruption.abort(new Error(`Interrupted by ${signal}.`));
  });
}
try {
  await setUp((line) => console.error(line), interruption.signal);
  console.error(`panthalia is ready (${((Date.now() - started) / 1000).toFixed(1)} s)`);
} catch (error) {
  console.error(error.message);
  if (error.next !== undefined) console.error(`next: ${error.next}`);
  if (error.exitCode === undefined && !interruption.signal.aborted) console.error(error.stack);
  process.exit(process.exitCode ?? error.exitCode ?? 1);
}
