/** Old run folders, and processes that a dead run left behind. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { latestRun, type RunFolder, runFolderAt, runsFolder, timeInName } from './runFolder.js';
import { type Orphan, stateOf } from './runState.js';

export interface CleanPlan {
  /** oldest first; bytes on disk */
  remove: { runId: string; path: string; sizeBytes: number }[];
  /** of runs whose supervisor is gone */
  orphans: Orphan[];
  kept: string[];
}

/** keep: how many of the newest runs stay. A run that is still running always does. */
export async function planCleaning({ keep }: { keep: number }): Promise<CleanPlan> {
  const folders = await runFolders();
  const states = await Promise.all(folders.map(async (folder) => ({ folder, ...(await stateOf(folder)) })));
  const idle = states.filter(({ isRunning }) => !isRunning);
  const old = idle.slice(0, Math.max(0, idle.length - keep));
  return {
    remove: await Promise.all(
      old.map(async ({ folder: { runId, path } }) => ({ runId, path, sizeBytes: await sizeOf(path) })),
    ),
    orphans: states.flatMap(({ orphans }) => orphans),
    kept: states.filter((state) => !old.includes(state)).map(({ folder }) => folder.runId),
  };
}

/** Ends the orphans, then removes the folders. */
export async function clean({ remove, orphans }: CleanPlan): Promise<void> {
  for (const { pid } of orphans) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // Gone by itself.
    }
  }
  for (const { path } of remove) await rm(path, { recursive: true, force: true });
  if (!existsSync(latestRun)) await rm(latestRun, { force: true });
}

/** Oldest first. Whatever else somebody keeps beside the runs is not ours to remove. */
async function runFolders(): Promise<RunFolder[]> {
  const entries = await readdir(runsFolder, { withFileTypes: true }).catch(() => []);
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => runFolderAt(join(runsFolder, name)))
    .filter(({ runId, manifest, journal }) => timeInName(runId) || [manifest, journal].some(existsSync));
  const dated = await Promise.all(folders.map(async (folder) => ({ folder, ms: await startOf(folder) })));
  return dated.sort((a, b) => a.ms - b.ms).map(({ folder }) => folder);
}

/** Unix milliseconds. A run that was given a folder by name wrote its manifest first. */
async function startOf({ runId, path, manifest }: RunFolder): Promise<number> {
  return timeInName(runId) ?? (await stat(existsSync(manifest) ? manifest : path)).mtimeMs;
}

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
