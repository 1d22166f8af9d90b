/** The role processes of a run: started, read, started again when they crash, stopped in reverse order. */
import { fileURLToPath } from 'node:url';
import { type ErrorFamily, exitCodes, PanthaliaError } from '../errors.js';
import { decodeEvent } from '../events/line.js';
import type { Leash } from '../process/leash.js';
import { type Child, type ChildExit, exitError, startChild } from '../process/supervise.js';
import type { RunRecord } from './runRecord.js';

/** What `npx panthalia` starts. */
export const program = fileURLToPath(new URL('../../bin/panthalia.js', import.meta.url));

export interface Member {
  /** worker_2 */
  name: string;
  /** the role and its flags. url: where it served before it crashed; others hold on to that address */
  args(url: string | undefined): readonly string[];
  /** PANTHALIA_*: keys go this way, never by argument, because arguments are public */
  env: Readonly<Record<string, string>>;
  /** how often it is started again after a crash */
  restarts: number;
}

export interface CrewOptions {
  record: RunRecord;
  leash: Leash;
}

export interface Enrolled {
  /** the URL the process serves on, or undefined, once it says that it is ready; rejects if it ends first */
  ready: Promise<string | undefined>;
  /** the last exit, a wanted one or the one after which it was not started again, and what it said last */
  ended: Promise<Ended>;
}

export interface Ended {
  exit: ChildExit;
  error: PanthaliaError;
}

/** Exits that another start would only repeat: wrong flags, configuration, build, account. */
const hopeless = new Set<number | null>([0, 2, 3, 4, 7]);

export class Crew implements AsyncDisposable {
  readonly #options: CrewOptions;
  readonly #children = new Map<string, Child>();
  #isStopping = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Starts the process and watches over it. Neither promise has to be awaited. */
  enrol(member: Member): Enrolled {
    let isReady: (url: string | undefined) => void = () => {};
    const readyEvent = new Promise<string | undefined>((resolve) => {
      isReady = resolve;
    });
    const ended = this.#watchOver(member, isReady);
    const ready = Promise.race([readyEvent, ended.then(({ error }) => Promise.reject(error))]);
    ready.catch(() => {});
    return { ready, ended };
  }

  /** True from the first moment of the end: exits are expected from then on. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  async #watchOver(member: Member, isReady: (url: string | undefined) => void): Promise<Ended> {
    const emit = this.#options.record.bus.emitterFor('simulate');
    let url: string | undefined;
    const onReady = (served: string | undefined) => {
      url = served;
      isReady(served);
    };
    for (let starts = 1; ; starts++) {
      const errors: PanthaliaError[] = [];
      const child = await this.#start(member, member.args(url), onReady, errors);
      const exit = await child.exited;
      emit({ type: 'process.exited', process: member.name, ...exit });
      const error = errors.at(-1) ?? exitError(child, exit);
      if (this.#isStopping || hopeless.has(exit.code) || starts > member.restarts) return { exit, error };
      emit({ type: 'alert', level: 'warn', message: `${error.message} Starting ${member.name} again.` });
    }
  }

  async #start(
    member: Member,
    args: readonly string[],
    onReady: (url: string | undefined) => void,
    errors: PanthaliaError[],
  ): Promise<Child> {
    const { record, leash } = this.#options;
    const emit = record.bus.emitterFor(member.name);
    const child = await startChild({
      name: member.name,
      command: process.execPath,
      args: [program, ...args, '--json'],
      env: { ...ownEnvironment(), ...member.env },
      leash,
      logPath: record.folder.log(member.name),
      onLine: (line) => {
        const event = decodeEvent(line);
        if (event !== null) record.bus.forward(member.name, event);
        if (event?.type === 'process.ready') onReady(event.url);
        const error = errorIn(line);
        if (error !== null) errors.push(error);
        return event !== null || error !== null;
      },
      onLog: (line) => emit({ type: 'process.log', process: member.name, line }),
    });
    this.#children.set(member.name, child);
    record.bus.emitterFor('simulate')({ type: 'process.started', process: member.name, pid: child.pid });
    if (this.#isStopping) void child.stop();
    return child;
  }

  /** Stops everybody, the last one started first. Twice is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    const names = [...this.#children.keys()].reverse();
    const workers = names.filter((name) => name.startsWith('worker_'));
    // Workers know nothing of each other, so they may say goodbye at the same time.
    await Promise.all(workers.map((name) => this.#children.get(name)?.stop()));
    for (const name of names) await this.#children.get(name)?.stop();
  }
}

/** Settings of the supervisor, given by PANTHALIA_*, are not the child's: it gets flags. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PANTHALIA_')));
}

/** The error that a command prints as its last line with --json; null for anything else, such as a line that was torn when
 *  the child was killed, or the result of a worker that was slashed. */
export function errorIn(line: string): PanthaliaError | null {
  if (!line.startsWith('{"schema":"panthalia-result/1","success":false')) return null;
  const { exitCode, errors } = envelopeOf(line);
  const error = errors?.[0];
  const family = (Object.keys(exitCodes) as ErrorFamily[]).find((name) => exitCodes[name] === exitCode);
  if (error === undefined) return null;
  const { message, ...options } = error;
  return new PanthaliaError(family ?? 'error', message, options);
}

function envelopeOf(line: string): {
  exitCode?: number;
  errors?: { code: string; message: string; details: Record<string, unknown>; next?: string }[];
} {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
