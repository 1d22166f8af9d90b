/** Long-lived child processes: each in its own process group, read line by line, stopped politely and then for certain. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { PanthaliaError } from '../errors.js';
import type { Leash } from './leash.js';

/** Lines kept in memory per child, for the sentence that explains why it ended. */
const tailLines = 20;
const stopDeadlineMs = 10_000;

export interface ChildOptions {
  /** worker_2, anvil: names the process in logs and errors */
  name: string;
  command: string;
  args: readonly string[];
  /** the whole environment of the child; nothing is inherited */
  env: NodeJS.ProcessEnv;
  leash: Leash;
  /** stderr, and the stdout lines that `onLine` does not take, are appended here */
  logPath?: string;
  /** returns true when it consumed the line; anything else goes to the log */
  onLine?: (line: string) => boolean;
  /** each line that goes to the log */
  onLog?: (line: string) => void;
  signal?: AbortSignal;
}

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** settles once, after the streams are drained and the log is written; never rejects */
  readonly exited: Promise<ChildExit>;
  /** the last lines of the log, oldest first */
  readonly tail: readonly string[];
  /** where the rest of it is */
  readonly logPath: string | undefined;
  /** SIGTERM, and SIGKILL to the whole group after 10 s. Twice is harmless. */
  stop(): Promise<ChildExit>;
  /** SIGKILL to the whole group, at once. */
  kill(): Promise<ChildExit>;
}

/** Starts a child in its own process group, so that a Ctrl-C at the terminal reaches only us and a kill reaches all of it.
 *  throws PanthaliaError `process.not_started` */
export async function startChild(options: ChildOptions): Promise<Child> {
  options.signal?.throwIfAborted();
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env,
  });
  const pid = await spawned(child, options);
  options.leash.hold(pid);

  const log = options.logPath === undefined ? null : createWriteStream(options.logPath, { flags: 'a' });
  // A log that can not be written (full disk) must not take the run with it; the journal reports the disk.
  log?.on('error', () => {});
  const tail: string[] = [];
  const exited = drain(child, log, tail, options).finally(() => options.leash.free(pid));

  const kill = () => {
    signalGroup(pid, 'SIGKILL');
    return exited;
  };
  const stop = async () => {
    signalGroup(pid, 'SIGTERM');
    const timer = setTimeout(kill, stopDeadlineMs);
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
  const onAbort = () => void stop();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  void exited.then(() => options.signal?.removeEventListener('abort', onAbort));
  return { name: options.name, pid, exited, tail, logPath: options.logPath, stop, kill };
}

/** Waits for `ready`, and gives up with the child's own last words if it exits first, or after `deadlineMs`.
 *  throws PanthaliaError `process.exited_early`, `process.not_ready` */
export async function untilReady<T>(child: Child, ready: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new PanthaliaError(
          'error',
          `${child.name} was not ready after ${deadlineMs / 1000} s.${said(child)}`,
          {
            code: 'process.not_ready',
            details: { process: child.name, deadlineMs },
            ...whatToRead(child),
          },
        ),
      );
    }, deadlineMs);
  });
  const early = child.exited.then((exit) => Promise.reject(exitError(child, exit)));
  try {
    return await Promise.race([ready, early, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What to say when a child is gone that should not be. */
export function exitError(child: Child, exit: ChildExit): PanthaliaError {
  const how = exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`;
  return new PanthaliaError('error', `${child.name} ended ${how}.${said(child)}`, {
    code: 'process.exited_early',
    details: { process: child.name, ...exit },
    ...whatToRead(child),
  });
}

function whatToRead({ logPath }: Child): { next?: string } {
  return logPath === undefined ? {} : { next: `read ${logPath}` };
}

function said(child: Child): string {
  const last = child.tail.filter((line) => line.trim() !== '').slice(-3);
  return last.length === 0 ? '' : ` It last said: ${last.join(' | ')}`;
}

function spawned(child: ChildProcess, options: ChildOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid as number));
    child.once('error', (cause) => {
      reject(
        new PanthaliaError('error', `${options.name} could not be started: ${cause.message}.`, {
          code: 'process.not_started',
          details: { command: options.command },
          cause,
        }),
      );
    });
  });
}

/** Reads both streams to their ends and resolves with the exit. */
async function drain(
  child: ChildProcess,
  log: WriteStream | null,
  tail: string[],
  options: ChildOptions,
): Promise<ChildExit> {
  const write = (line: string) => {
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    log?.write(`${line}\n`);
    options.onLog?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (stream === child.stdout && options.onLine?.(line)) return;
      write(line);
    });
  }
  const exit = await new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  if (log !== null) {
    log.end();
    await finished(log).catch(() => {}); // see above: not written
  }
  return exit;
}

/** ESRCH means that the group is already gone, which is what we wanted. */
function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
