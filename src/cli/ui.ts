/** Which of the two faces a run shows: the dashboard where there is a terminal for it, else plain lines. */
import { Option } from 'commander';
import { PanthaliaError } from '../errors.js';

export type Ui = 'auto' | 'dashboard' | 'plain';

export function uiOption(): Option {
  return new Option('--ui <ui>', 'dashboard on a terminal, or plain lines')
    .choices(['auto', 'dashboard', 'plain'])
    .default('auto')
    .env('PANTHALIA_UI');
}

/** src/dashboard/layout.ts says the same to Ink, which must not be loaded to find out. */
const smallest = { columns: 80, rows: 20 };

/** throws usage/ui.no_terminal when the dashboard is asked for and can not be */
export function chooseUi({ ui, json, quiet }: { ui: Ui; json?: true; quiet?: true }): 'dashboard' | 'plain' {
  const { stdin, stdout, env } = process;
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
  if (ui === 'dashboard') {
    if (isTerminal && !json) return 'dashboard';
    const sentence = json ? 'it can not be shown beside --json' : 'stdin or stdout is none';
    throw new PanthaliaError('usage', `The dashboard needs a terminal, and ${sentence}.`, {
      code: 'ui.no_terminal',
      next: 'pass --ui plain, or leave --ui away',
    });
  }
  const isSmall = (stdout.columns ?? 0) < smallest.columns || (stdout.rows ?? 0) < smallest.rows;
  const isUnfit = isSet(env.CI) || env.TERM === 'dumb' || isSet(env.INK_SCREEN_READER) || isSmall;
  return ui === 'plain' || json || quiet || !isTerminal || isUnfit ? 'plain' : 'dashboard';
}

/** no-color.org, force-color.org: whoever forces colours gets them. */
export function wantsColors(): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return NO_COLOR === undefined || NO_COLOR === '';
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
