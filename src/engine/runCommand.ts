/** Programs of the build: output to lines, the whole group ended on abort. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Of everything that takes long. */
export interface BuildOptions {
  /** progress, one line of prose at a time */
  log: (line: string) => void;
  signal?: AbortSignal | undefined;
}

export interface CommandResult {
  /** null when the program could not be started */
  code: number | null;
  stdout: string;
  /** the last lines of both streams, for a message */
  tail: string[];
}

/** Never throws for a program that fails or is missing; the caller knows what that means.
 *  throws signal.reason when aborted */
export async function runCommand(
  command: string,
  args: string[],
  options: { cwd?: string; signal?: AbortSignal | undefined; onLine?: (line: string) => void } = {},
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const child = spawn(command, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its own group, so that an abort reaches compilers started by make
  });
  const stdout: string[] = [];
  const tail: string[] = [];
  const keep = (line: string) => {
    options.onLine?.(line);
    tail.push(line);
    if (tail.length > 30) tail.shift();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout.push(line);
    keep(line);
  });
  createInterface({ input: child.stderr }).on('line', keep);

  const endGroup = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  };
  options.signal?.addEventListener('abort', endGroup, { once: true });
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null));
      child.once('close', (exitCode) => resolve(exitCode ?? 1));
    });
    options.signal?.throwIfAborted();
    return { code, stdout: stdout.join('\n'), tail };
  } finally {
    options.signal?.removeEventListener('abort', endGroup);
  }
}
