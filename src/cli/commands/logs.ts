import { Command, Option } from 'commander';
import { PanthaliaError } from '../../errors.js';
import { encodeEvent } from '../../events/line.js';
import type { Level, StampedEvent } from '../../events/types.js';
import type { CommandIo } from '../io.js';
import { nearest } from '../nearness.js';
import { wholeNumber, withOutputOptions } from '../options.js';
import { createPlainPrinter } from '../plainPrinter.js';

interface LogsFlags {
  run?: string;
  follow?: true;
  lines?: number;
  level: Level;
  json?: true;
}

const examples = `Examples:
  panthalia logs                            everybody, in the order of the journal
  panthalia logs worker_2 -f                follow one process until the run ends
  panthalia logs sot -n 20 --level warn
`;

export function logsCommand(io: CommandIo): Command {
  const command = new Command('logs')
    .description('what the processes of a run said and did')
    .argument('[process]', 'worker_2, master, sot, anvil, chain, simulate (default: all)')
    .option('--run <run>', 'folder of a run, or its id in runs/ (default: the latest)')
    .option('-f, --follow', 'go on until the run ends')
    .option('-n, --lines <n>', 'only the last n lines of what is there', wholeNumber)
    .addOption(
      new Option('--level <level>', 'leave out what matters less')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('debug'),
    )
    .addHelpText('before', examples)
    .action((process: string | undefined, flags: LogsFlags) => tell(process, flags, io));
  return withOutputOptions(command);
}

async function tell(process: string | undefined, flags: LogsFlags, io: CommandIo): Promise<void> {
  const { findRun } = await import('../../actions/findRun.js');
  const { followRun } = await import('../../actions/followRun.js');
  const { readJournal } = await import('../../events/journal.js');
  const folder = findRun(flags.run);
  const present = readJournal(folder.journal);
  requireKnown(process, present);
  const lines: string[] = [];
  // The printer learns the names of accounts from the first event, so it sees all of them.
  const printer = createPlainPrinter({ write: (line) => lines.push(line), level: flags.level });
  const linesOf = (event: StampedEvent) => {
    lines.length = 0;
    printer(event);
    const isWanted = process === undefined || sourcesOf(event).includes(process);
    return isWanted ? lines.map((line) => (flags.json ? encodeEvent(event) : line)) : [];
  };
  const told = present.flatMap(linesOf);
  for (const line of flags.lines === undefined ? told : told.slice(-flags.lines)) io.print(line);
  if (!flags.follow || present.at(-1)?.type === 'run.ended') return;
  const lastSeq = present.at(-1)?.seq ?? -1;
  for await (const events of followRun(folder, io.say, io.signal)) {
    const fresh = events.filter(({ seq }) => seq > lastSeq);
    for (const line of fresh.flatMap(linesOf)) io.print(line);
    if (events.some(({ type }) => type === 'run.ended')) return;
  }
}

/** Its own, and what its supervisor says of it. */
function sourcesOf(event: StampedEvent): string[] {
  return 'process' in event && typeof event.process === 'string' ? [event.src, event.process] : [event.src];
}

function requireKnown(process: string | undefined, events: readonly StampedEvent[]): void {
  if (process === undefined) return;
  // A worker says `worker` of itself, whatever name it was started under.
  const started = events.flatMap((event) => (event.type === 'process.started' ? [event.process] : []));
  const known = [...new Set([...events.map(({ src }) => src), ...started])].sort();
  if (known.includes(process)) return;
  throw new PanthaliaError(
    'notFound',
    `No process ${process} took part in this run; there are ${known.join(', ') || 'none'}.`,
    {
      code: 'logs.no_process',
      details: { received: process, known },
      next: `panthalia logs ${nearest(process, known) ?? ''}`.trim(),
    },
  );
}
