/** The folder that holds everything a run leaves, and the pointer to the latest one. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { mkdirAll, writeFileWhole } from '../data/files.js';
import { PanthaliaError } from '../errors.js';
import { encodeJson } from '../events/line.js';

export interface RunFolder {
  readonly runId: string;
  /** absolute */
  readonly path: string;
  readonly manifest: string;
  /** the whole configuration, for `simulate --config` */
  readonly config: string;
  readonly deployment: string;
  readonly journal: string;
  readonly summary: string;
  readonly chainState: string;
  /** blobs, versions and the journal of the SOT */
  readonly sot: string;
  /** logs/<process>.log */
  log(process: string): string;
  /** for the files a worker has in flight; empty after a run that ended well */
  scratch(process: string): string;
}

/** Where runs go unless told otherwise, seen from the folder the command was typed in. */
export const runsFolder = 'runs';
/** A link to the newest run in `runs`. */
export const latestRun = join(runsFolder, 'latest');
export const latestDeployment = join(latestRun, 'deployment.json');

/** Makes the folder of a new run: `path`, or `runs/<time>-<random>`.
 *  throws PanthaliaError `run.folder_not_empty`, `run.folder_not_writable` */
export async function createRunFolder(path?: string): Promise<RunFolder> {
  const folder = runFolderAt(path ?? join(runsFolder, newRunId()));
  try {
    await mkdirAll(folder.path);
    const present = await readdir(folder.path);
    if (present.length > 0) throw notEmpty(folder.path, present);
    for (const inner of [dirname(folder.log('-')), folder.sot]) await mkdir(inner);
  } catch (cause) {
    if (cause instanceof PanthaliaError) throw cause;
    throw new PanthaliaError(
      'config',
      `The run folder ${folder.path} can not be written: ${(cause as Error).message}.`,
      { code: 'run.folder_not_writable', details: { path: folder.path }, next: 'pass --run-dir DIR', cause },
    );
  }
  return folder;
}

/** The names inside a run folder. */
export function runFolderAt(path: string): RunFolder {
  const absolute = resolve(path);
  return {
    runId: basename(absolute),
    path: absolute,
    manifest: join(absolute, 'manifest.json'),
    config: join(absolute, 'config.json'),
    deployment: join(absolute, 'deployment.json'),
    journal: join(absolute, 'journal.jsonl'),
    summary: join(absolute, 'summary.json'),
    chainState: join(absolute, 'chain.json'),
    sot: join(absolute, 'sot'),
    log: (process) => join(absolute, 'logs', `${process}.log`),
    scratch: (process) => join(absolute, 'scratch', process),
  };
}

/** Writes a small file whole or not at all; bigint becomes a decimal string. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeFileWhole(path, `${encodeJson(value, 2)}\n`);
}

/** 20261122-051733-3fa9: sorts by time, and two runs in one second differ */
function newRunId(): string {
  const [date = '', time = ''] = new Date().toISOString().replace(/[-:]/g, '').split(/[T.]/);
  return `${date}-${time}-${randomBytes(2).toString('hex')}`;
}

/** Unix milliseconds at which a folder with such a name was made; undefined for a name that somebody chose. */
export function timeInName(runId: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-[0-9a-f]{4}$/.exec(runId)?.slice(1);
  if (parts === undefined) return undefined;
  const [year, month, ...rest] = parts.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, ...rest);
}

/** `runs/latest`, where commands typed by hand look for a deployment. A run whose folder is not in `runs` is found by its name alone. */
export async function pointLatestTo({ runId, path }: RunFolder): Promise<void> {
  if (dirname(path) !== resolve(runsFolder) || path === resolve(latestRun)) return;
  const temporary = join(runsFolder, `.latest-${runId}`);
  await symlink(runId, temporary);
  try {
    await rename(temporary, latestRun);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Of what a run has left, on a full disk for example, it can be said how to be rid of it; of anything else nothing is removed by advice. */
function notEmpty(path: string, present: string[]): PanthaliaError {
  const isRun = ['logs', 'sot'].every((name) => present.includes(name));
  return new PanthaliaError('config', `The run folder ${path} is not empty: it has ${present[0]}.`, {
    code: 'run.folder_not_empty',
    details: { path },
    next: `${isRun ? `rm -r ${path}   if that run is not wanted any more; or ` : ''}pass a new folder with --run-dir`,
  });
}
