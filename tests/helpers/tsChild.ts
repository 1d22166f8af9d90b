/** A TypeScript program of the tests as a real process, for what only a process can show: dying, limits, memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Bundles tests/children/<name>.ts with what it imports (Node 20 runs no TypeScript, and knows no `using`); returns the path of the program. */
export async function buildChild(name: string): Promise<string> {
  const input = fileURLToPath(new URL(`../children/${name}.ts`, import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'panthalia-child-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bundle = await rolldown({
    input,
    platform: 'node',
    logLevel: 'warn',
    transform: { target: 'node20' },
  });
  const file = join(folder, `${basename(name)}.mjs`);
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return file;
}

/** fileKiB: RLIMIT_FSIZE, the cheapest full disk there is: writes beyond it fail with EFBIG. */
export function startChild(program: string, args: string[], limits: { fileKiB?: number } = {}): ChildProcess {
  const { fileKiB } = limits;
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  if (fileKiB === undefined) return spawn(process.execPath, [program, ...args], { stdio });
  const command = `ulimit -f ${fileKiB}; exec "$0" "$@"`;
  return spawn('bash', ['-c', command, process.execPath, program, ...args], { stdio });
}

/** Everything the child prints, and how it ended. */
export async function outcome(child: ChildProcess): Promise<{ output: string; code: number | null }> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output, code };
}
