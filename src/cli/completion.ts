/** Completion scripts, from the commands themselves. */
import type { Command, Option } from 'commander';

interface Entry {
  /** "wallet new"; empty for the program itself */
  path: string;
  description: string;
  words: string[];
  options: readonly Option[];
}

function entriesOf(program: Command): Entry[] {
  const visit = (command: Command, path: string[]): Entry[] => {
    const help = command.createHelp();
    const children = help.visibleCommands(command).filter((child) => child.name() !== 'help');
    const options = help.visibleOptions(command);
    const entry = {
      path: path.join(' '),
      description: command.description(),
      words: [
        ...children.map((child) => child.name()),
        ...options.flatMap(({ short, long }) => [long, short]).filter((flag) => flag !== undefined),
        ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      ],
      options,
    };
    return [entry, ...children.flatMap((child) => visit(child, [...path, child.name()]))];
  };
  return visit(program, []);
}

/** The longest command that the words so far begin with decides; files are offered where nothing else fits. */
export function bashCompletion(program: Command): string {
  const cases = entriesOf(program).map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`);
  const choices = entriesOf(program).flatMap(({ path, options }) =>
    options
      .filter(({ argChoices }) => argChoices !== undefined)
      .map(({ long, argChoices }) => `    '${path} ${long}') words='${argChoices?.join(' ')}' ;;`),
  );
  return `# panthalia completion for bash
_panthalia() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' i
  for ((i = 1; i < COMP_CWORD && i <= 2; i++)); do
    case "\${COMP_WORDS[i]}" in -*) break ;; esac
    path="\${path:+$path }\${COMP_WORDS[i]}"
  done
  case "$path" in
${cases.join('\n')}
    *) path="\${path%% *}"
      case "$path" in
${cases.map((line) => `    ${line}`).join('\n')}
      esac ;;
  esac
  case "$path $previous" in
${choices.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _panthalia panthalia`;
}

export function zshCompletion(program: Command): string {
  return `#compdef panthalia
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(program)}`;
}

export function fishCompletion(program: Command): string {
  const lines = entriesOf(program).flatMap(({ path, description, options }) => {
    const [name = '', inner] = path.split(' ');
    if (name === '') return [];
    const when = inner === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${name}`;
    const at =
      inner === undefined ? `__fish_seen_subcommand_from ${name}` : `__fish_seen_subcommand_from ${inner}`;
    return [
      `complete -c panthalia -f -n '${when}' -a '${inner ?? name}' -d ${quoted(description)}`,
      ...options.map(({ short, long, description: text, argChoices, required, optional }) =>
        [
          `complete -c panthalia -n '${at}'`,
          ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
          ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
          ...(required || optional ? ['-r'] : []),
          ...(argChoices === undefined ? [] : [`-f -a '${argChoices.join(' ')}'`]),
          `-d ${quoted(text)}`,
        ].join(' '),
      ),
    ];
  });
  return ['# panthalia completion for fish', ...lines].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
