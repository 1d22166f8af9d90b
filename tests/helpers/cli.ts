/** The real CLI in a child process, as a user or a script starts it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';
import { decodeEvent } from '../../src/events/line.js';
import type { StampedEvent } from '../../src/events/types.js';

const program = join(import.meta.dirname, '../../bin/panthalia.js');

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** lines of stdout */
  out: string[];
  /** lines of stderr */
  err: string[];
}

export interface Cli {
  readonly pid: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly finished: Promise<Finished>;
  send(signal: NodeJS.Signals): void;
  /** The first event, of the past or to come, for which `ask` holds; fails if the program ends before. */
  event(what: string, ask: (event: StampedEvent) => boolean): Promise<StampedEvent>;
}

export interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
}

/** Starts it in a process group of its own, as a shell would. */
export function startCli(args: readonly string[], options: CliOptions = {}): Cli {
  const env = { ...cleanEnvironment(), ...options.env };
  const child = spawn(process.execPath, [program, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = linesOf(child.stdout);
  const err = linesOf(child.stderr);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, out, err }));
  });
  return {
    pid: child.pid as number,
    out,
    err,
    finished,
    send: (signal) => void child.kill(signal),
    event: (what, ask) => eventOf(what, ask, { child, out, err, finished }),
  };
}

export function runCli(args: readonly string[], options?: CliOptions): Promise<Finished> {
  return startCli(args, options).finished;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder, gone after the file's last test; a run goes into one that does not exist yet below it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'panthalia-e2e-'));
  folders.push(folder);
  return folder;
}

/** Command lines of live processes that mention the text: everything a run starts names its folder. */
export function processesNaming(text: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,stat,args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line) && !line.includes('ps -eo'));
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NODE_ENV: _, VITEST: __, ...env } = process.env;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PANTHALIA_')));
}

function linesOf(stream: NodeJS.ReadableStream | null): string[] {
  const lines: string[] = [];
  if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  return lines;
}

interface Watched {
  child: ChildProcess;
  out: readonly string[];
  err: readonly string[];
  finished: Promise<Finished>;
}

async function eventOf(
  what: string,
  ask: (event: StampedEvent) => boolean,
  { child, out, err, finished }: Watched,
): Promise<StampedEvent> {
  let read = 0;
  const look = () => {
    for (; read < out.length; read++) {
      const event = decodeEvent(out[read] as string);
      if (event !== null && ask(event)) return event;
    }
    return null;
  };
  const ended = finished.then(() => true);
  for (;;) {
    const event = look();
    if (event !== null) return event;
    const arrived = new Promise<boolean>((resolve) => child.stdout?.once('data', () => resolve(false)));
    if (await Promise.race([arrived, ended])) {
      const last = look();
      if (last !== null) return last;
      throw new Error(`the program ended without ${what}: ${err.slice(-5).join(' | ')}`);
    }
    // readline hands out the lines of a chunk in the same turn or the next.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
