/** Whatever was thrown, as one sentence, the next thing to do, and an exit code. */
import { constants } from 'node:os';
import type { Command, CommanderError } from 'commander';
import { exitCodes, namingHostsOnly, PanthaliaError } from '../errors.js';
import { Interruption } from './io.js';
import { isNear } from './nearness.js';

export interface Problem {
  exitCode: number;
  code: string;
  message: string;
  details: Record<string, unknown>;
  next: string | undefined;
  /** for mistakes of ours, which nobody can mend without it */
  stack: string | undefined;
}

/** commander's own error does not say which command it is about. */
export class UsageError extends Error {
  constructor(
    override readonly cause: CommanderError,
    readonly command: Command,
  ) {
    super(cause.message);
  }
}

/** null when the "error" is help or the version that was asked for */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof PanthaliaError) {
    const { exitCode, code, message, details, next } = error;
    return { exitCode, code, message, details, next, stack: undefined };
  }
  if (error instanceof Interruption) {
    const exitCode = 128 + constants.signals[error.signal];
    return { ...bare('interrupted', 'Interrupted.'), exitCode };
  }
  // Node's own waits throw an AbortError, with what they were given up for as its cause.
  if (error instanceof Error && error.name === 'AbortError' && error.cause instanceof Interruption) {
    return problemOf(error.cause);
  }
  if (error instanceof UsageError) return usageProblem(error);
  if (!(error instanceof Error)) return bare('internal', namingHostsOnly(String(error)));
  const { name, message, stack } = error;
  return {
    ...bare('internal', namingHostsOnly(`${name}: ${message}`)),
    stack: stack === undefined ? undefined : namingHostsOnly(stack),
  };
}

/** commander says "error: unknown option '--foo'\n(Did you mean --fooo?)" and ends with 1; usage is 2 here. */
function usageProblem({ cause, command }: UsageError): Problem | null {
  if (cause.exitCode === 0) return null;
  const [sentence = '', hint] = cause.message.replace(/^error: /, '').split('\n');
  // What commander throws where a command has only commands: it has shown the help already.
  const isHelp = cause.code === 'commander.help';
  const message = isHelp
    ? `A command of ${nameOf(command)} was expected, none was given.`
    : `${sentence.charAt(0).toUpperCase()}${sentence.slice(1).replace(/\.$/, '')}.`;
  const next = suggestion(sentence, hint) ?? `${nameOf(command)} --help`;
  return { ...bare('usage', message), exitCode: exitCodes.usage, next };
}

/** "unknown command 'statsu'", "(Did you mean status?)" -> "Did you mean status?"; nothing where only a few letters agree. */
function suggestion(sentence: string, hint: string | undefined): string | undefined {
  const meant = hint?.match(/^\(Did you mean (?:one of )?(.*)\?\)$/)?.[1]?.split(', ') ?? [];
  const typed = /'(.*)'/.exec(sentence)?.[1] ?? '';
  const near = meant.filter((word) => isNear(typed, word));
  if (near.length === 0) return undefined;
  return `Did you mean ${near.length === 1 ? '' : 'one of '}${near.join(', ')}?`;
}

/** panthalia wallet new */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function bare(code: string, message: string): Problem {
  return { exitCode: exitCodes.error, code, message, details: {}, next: undefined, stack: undefined };
}

/** For stderr. */
export function problemText({ message, next, stack }: Problem): string {
  return [stack ?? message, ...(next === undefined ? [] : [`next: ${next}`])].join('\n');
}

/** For stdout with --json: one line. */
export function problemEnvelope({ exitCode, ...problem }: Problem): Record<string, unknown> {
  const { code, message, details, next } = problem;
  return {
    schema: 'panthalia-result/1',
    success: false,
    exitCode,
    errors: [{ code, message, details, next }],
  };
}
