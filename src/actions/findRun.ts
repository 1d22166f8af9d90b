/** The run folder that a command names, by path or by id. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { latestRun, type RunFolder, runFolderAt, runsFolder } from './runFolder.js';

/** name: a folder, or the id of a run in runs/; default: the latest one.  throws notFound/run.not_found */
export function findRun(name?: string): RunFolder {
  const candidates = name === undefined ? [latestRun] : [name, join(runsFolder, name)];
  const folders = candidates.map(runFolderAt);
  const found = folders.find(({ journal }) => existsSync(journal));
  if (found !== undefined) return found;
  const places = folders.map(({ path }) => path).join(' and ');
  throw new PanthaliaError(
    'notFound',
    `There is no run: ${places} ${folders.length === 1 ? 'holds' : 'hold'} no journal.`,
    {
      code: 'run.not_found',
      details: { places: folders.map(({ path }) => path) },
      next: name === undefined ? 'panthalia simulate' : 'ls runs',
    },
  );
}
