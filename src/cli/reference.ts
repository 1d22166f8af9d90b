/** docs/cli.md: every command, argument and flag, from the commands themselves. */
import type { EventEmitter } from 'node:events';
import type { Command, Option } from 'commander';
import { exitCodes } from '../errors.js';

/** Markdown, the same on every machine. */
export function cliReference(program: Command): string {
  const commands = visible(program);
  return `${[
    '# Commands',
    'Written by `npm run gen` from the commands themselves; a test fails when this page and they differ.',
    program.description(),
    '```\n' +
      commands.map((command) => `${usage(command, '')}\n    ${command.description()}`).join('\n') +
      '\n```',
    [
      'Every flag with a variable in its row can be set by that environment variable; the flag wins. Results go to stdout, everything',
      'else to stderr. With `--json` a command prints one envelope (`panthalia-result/1`), or one event per line and its result last;',
      '`conformance` prints what it certifies as it is (`panthalia-conformance/1`).',
    ].join('\n'),
    ...commands.flatMap((command) => section(command, '')),
    '## Exit codes',
    exitCodeTable(),
  ].join('\n\n')}\n`;
}

function section(command: Command, parent: string): string[] {
  const inner = visible(command);
  return [
    `${parent === '' ? '##' : '###'} ${`${parent} ${command.name()}`.trim()}`,
    `${capital(command.description())}.`,
    ...(inner.length === 0 ? [`    panthalia ${usage(command, parent)}`] : []),
    ...argumentTable(command),
    ...optionTable(command),
    ...addedHelp(command),
    ...inner.flatMap((child) => section(child, `${parent} ${command.name()}`.trim())),
  ];
}

function visible(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
}

function usage(command: Command, parent: string): string {
  const names = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [...(parent === '' ? [] : [parent]), command.name(), ...names].join(' ');
}

function argumentTable(command: Command): string[] {
  const rows = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => `| \`${argument.name()}\` | ${cell(argument.description)}${choices(argument)} |`);
  return rows.length === 0 ? [] : [['| argument | |', '|---|---|', ...rows].join('\n')];
}

function optionTable(command: Command): string[] {
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');
  if (options.length === 0) return [];
  const row = (option: Option) =>
    `| \`${option.flags}\` | ${cell(option.description)}${choices(option)} | ${shown(option.defaultValue)} | ${option.envVar === undefined ? '' : `\`${option.envVar}\``} |`;
  return [['| flag | | default | variable |', '|---|---|---|---|', ...options.map(row)].join('\n')];
}

/** Examples and notes, as commander prints them after the flags. */
function addedHelp(command: Command): string[] {
  const parts: string[] = [];
  const context = { error: false, command, write: (text: string) => parts.push(text) };
  // A Command is an EventEmitter, which its types leave out; addHelpText listens to these.
  const emitter = command as unknown as EventEmitter;
  for (const event of ['beforeHelp', 'afterHelp']) emitter.emit(event, context);
  const text = parts.join('').trim();
  return text === '' ? [] : [`\`\`\`\n${text}\n\`\`\``];
}

function choices({ argChoices }: { argChoices?: readonly string[] }): string {
  return argChoices === undefined ? '' : `: ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`;
}

function shown(value: unknown): string {
  return value === undefined || value === false ? '' : `\`${String(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const meanings: Record<keyof typeof exitCodes, string> = {
  error: 'not one of the others',
  usage: 'a flag or an argument is wrong',
  config: 'a file or a setting is wrong, or `doctor` found something',
  build: 'the engine or the contracts can not be built or loaded',
  check: 'it ran, and the answer is no',
  network: 'chain or Source of Truth out of reach, or the wrong one',
  user: 'key, password, tokens or rights',
  reverted: 'a contract refused',
  notFound: 'no such task, run, process or account',
  deadline: "too late, by our own or the chain's clock",
  slashed: 'stake was lost, or a dispute',
  declined: 'refused for the good of whoever asked',
};

function exitCodeTable(): string {
  const rows = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${meanings[name as keyof typeof meanings]} |`,
  );
  return [
    '| code | when |',
    '|---|---|',
    '| 0 | done, or help |',
    ...rows,
    '| 128 + n | ended by signal n |',
  ].join('\n');
}
