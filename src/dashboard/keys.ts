/** The one table of keys: what they are called, what they do, when they do it. Footer, help and tests are made from it. */

export type Action =
  | 'previous'
  | 'next'
  | 'choose'
  | 'pageUp'
  | 'pageDown'
  | 'first'
  | 'last'
  | 'follow'
  | 'search'
  | 'nextMatch'
  | 'previousMatch'
  | 'level'
  | 'clock'
  | 'copy'
  | 'pager'
  | 'nextPanel'
  | 'previousPanel'
  | 'zoom'
  | 'back'
  | 'help'
  | 'stream'
  | 'save'
  | 'dispute'
  | 'stopWorker'
  | 'pause'
  | 'faster'
  | 'slower'
  | 'backward'
  | 'forward'
  | 'leave'
  | 'suspend'
  | 'quit'
  | 'quitNow';

/** What a screen can offer beyond looking; it depends on who opened it. */
export type Ability = 'pager' | 'save' | 'dispute' | 'stopWorker' | 'stream' | 'replay' | 'leave';

export interface KeyBinding {
  action: Action;
  /** as `keyName` gives them */
  keys: readonly string[];
  /** for people */
  label: string;
  /** what a half of an 80-column help has room for */
  does: string;
  group: 'look' | 'log' | 'run' | 'replay' | 'leave';
  /** only with this ability */
  needs?: Ability;
  /** what the footer says, for the keys that it names; the most important ones first */
  footer?: { text: string; rank: number };
}

export const keyTable: readonly KeyBinding[] = [
  ...[
    bind('look', 'previous', ['up', 'k'], '↑ k', 'process or row above', 1, '↑↓ select'),
    bind('look', 'next', ['down', 'j'], '↓ j', 'process or row below'),
    bind('look', 'choose', ['1', '2', '3', '4', '5', '6', '7', '8', '9'], '1-9', 'process at that place'),
    bind('look', 'nextPanel', ['tab'], 'Tab', 'next panel', 4, 'Tab panel'),
    bind('look', 'previousPanel', ['shift-tab'], 'Shift-Tab', 'panel before'),
    bind('look', 'zoom', ['enter'], 'Enter', 'whole width, and back'),
    bind('look', 'help', ['?', 'h'], '?', 'this help', 3, '? help'),
    bind('look', 'back', ['escape'], 'Esc', 'close, end the search'),
  ],
  ...[
    bind(
      'log',
      'pageUp',
      ['pageup', 'ctrl-u', 'ctrl-b'],
      'PgUp Ctrl-U',
      'a page back',
      9,
      'PgUp PgDn scroll',
    ),
    bind('log', 'pageDown', ['pagedown', 'ctrl-d', 'ctrl-f', ' '], 'PgDn Ctrl-D', 'a page on'),
    bind('log', 'first', ['g', 'home'], 'g', 'oldest line kept'),
    bind('log', 'last', ['G', 'end'], 'G', 'newest line'),
    bind('log', 'follow', ['f'], 'f', 'follow, or stand still', 6, 'f follow'),
    bind('log', 'search', ['/'], '/', 'find in the log', 5, '/ find'),
    bind('log', 'nextMatch', ['n'], 'n', 'older match'),
    bind('log', 'previousMatch', ['N'], 'N', 'newer match'),
    bind('log', 'level', ['l'], 'l', 'from debug, info, warn on', 8, 'l level'),
    bind('log', 'clock', ['t'], 't', 'time of day, of run, none'),
    bind('log', 'copy', ['y'], 'y', 'copy the line (OSC 52)'),
    { ...bind('log', 'pager', ['o'], 'o', 'the whole log in $PAGER'), needs: 'pager' },
    { ...bind('log', 'stream', ['L'], 'L', 'plain lines, and back', 7, 'L plain'), needs: 'stream' },
  ],
  ...[
    {
      ...bind('run', 'save', ['s'], 's', 'save the newest model'),
      needs: 'save' as const,
    },
    {
      ...bind('run', 'dispute', ['d'], 'd', 'dispute the task; asks'),
      needs: 'dispute' as const,
    },
    {
      ...bind('run', 'stopWorker', ['x'], 'x', 'stop the worker; asks'),
      needs: 'stopWorker' as const,
    },
  ],
  ...[
    { ...bind('replay', 'pause', ['p'], 'p', 'pause, go on', 2, 'p pause'), needs: 'replay' as const },
    {
      ...bind('replay', 'faster', ['+', '='], '+', 'twice as fast', 2, '+- speed'),
      needs: 'replay' as const,
    },
    { ...bind('replay', 'slower', ['-', '_'], '-', 'half as fast'), needs: 'replay' as const },
    {
      ...bind('replay', 'backward', ['left'], '←', '10 seconds back', 2, '←→ seek'),
      needs: 'replay' as const,
    },
    { ...bind('replay', 'forward', ['right'], '→', '10 seconds on'), needs: 'replay' as const },
  ],
  ...[
    {
      ...bind('leave', 'leave', ['e'], 'e', 'leave; the run goes on'),
      needs: 'leave' as const,
    },
    bind('leave', 'suspend', ['ctrl-z'], 'Ctrl-Z', 'suspend watch or replay'),
    bind('leave', 'quit', ['q', 'ctrl-c'], 'q Ctrl-C', 'quit; a run stops first', 2, 'q quit'),
    bind('leave', 'quitNow', ['Q'], 'Q', 'quit at once'),
  ],
] as readonly KeyBinding[];

/** The binding of a key among those that can be used here. */
export function bindingOf(key: string, abilities: ReadonlySet<Ability>): KeyBinding | undefined {
  return usableKeys(abilities).find(({ keys }) => keys.includes(key));
}

export function usableKeys(abilities: ReadonlySet<Ability>): KeyBinding[] {
  return keyTable.filter(({ needs }) => needs === undefined || abilities.has(needs));
}

/** As many hints as fit, the most important ones, in the order of the table. */
export function footerText(abilities: ReadonlySet<Ability>, columns: number): string {
  const hints = usableKeys(abilities).flatMap(({ footer }) => (footer === undefined ? [] : [footer]));
  const byRank = [...hints].sort((a, b) => a.rank - b.rank);
  const textOf = (count: number) => {
    const kept = new Set(byRank.slice(0, count));
    return hints.filter((hint) => kept.has(hint)).map(({ text }) => text);
  };
  let count = hints.length;
  while (count > 0 && textOf(count).join('  ').length > columns) count -= 1;
  return textOf(count).join('  ');
}

/** The parts of a key press that Ink gives. */
export interface InkKey {
  upArrow?: boolean;
  downArrow?: boolean;
  leftArrow?: boolean;
  rightArrow?: boolean;
  pageUp?: boolean;
  pageDown?: boolean;
  home?: boolean;
  end?: boolean;
  return?: boolean;
  escape?: boolean;
  tab?: boolean;
  shift?: boolean;
  ctrl?: boolean;
  meta?: boolean;
  backspace?: boolean;
  delete?: boolean;
}

/** Keys that come in one piece with others, when somebody types fast. */
const controlKeys: Record<string, string> = {
  '\t': 'tab',
  '\r': 'enter',
  '\n': 'enter',
  '\x03': 'ctrl-c',
  '\x1a': 'ctrl-z',
  '\x1b': 'escape',
  '\x7f': 'backspace',
};

/** Keys by the names of the table. A pasted text is as many keys as it has characters. */
export function keyNames(input: string, key: InkKey): string[] {
  if (key.upArrow) return ['up'];
  if (key.downArrow) return ['down'];
  if (key.leftArrow) return ['left'];
  if (key.rightArrow) return ['right'];
  if (key.pageUp) return ['pageup'];
  if (key.pageDown) return ['pagedown'];
  if (key.home) return ['home'];
  if (key.end) return ['end'];
  if (key.return) return ['enter'];
  if (key.escape) return ['escape'];
  if (key.tab) return [key.shift ? 'shift-tab' : 'tab'];
  if (key.backspace || key.delete) return ['backspace'];
  if (key.ctrl) return [`ctrl-${input}`];
  // Alt-x is not x.
  if (key.meta) return [];
  return [...input].map((character) => controlKeys[character] ?? character);
}

function bind(
  group: KeyBinding['group'],
  action: Action,
  keys: string[],
  label: string,
  does: string,
  rank?: number,
  text?: string,
): KeyBinding {
  const binding = { group, action, keys, label, does };
  return rank === undefined || text === undefined ? binding : { ...binding, footer: { text, rank } };
}
