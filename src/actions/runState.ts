/** Which processes of a run are there. The run itself can not say that it was killed. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { readJournal } from '../events/journal.js';
import type { StampedEvent } from '../events/types.js';
import type { RunFolder } from './runFolder.js';

/** A process whose supervisor is gone. */
export interface Orphan {
  pid: number;
  process: string;
  runId: string;
}

/** Has begun, and nobody is there to end it: its supervisor was killed. False where that can not be seen. */
export async function wasKilled(folder: RunFolder): Promise<boolean> {
  if (!existsSync('/proc/self/status')) return false;
  const events = eventsOf(folder.journal);
  const hasEnded = events.some(({ type }) => type === 'run.ended');
  if (hasEnded || !events.some(({ type }) => type === 'process.started')) return false;
  return !(await stateOf(folder)).isRunning;
}

/** A run is running while a process of it has its supervisor; without /proc none seems to. */
export async function stateOf(folder: RunFolder): Promise<{ isRunning: boolean; orphans: Orphan[] }> {
  const children = await livingChildren(folder);
  const supervised = await Promise.all(children.map(({ pid }) => hasSupervisor(pid)));
  return {
    isRunning: supervised.includes(true),
    orphans: children.filter((_, i) => !supervised[i]).map((child) => ({ ...child, runId: folder.runId })),
  };
}

/** Pids are used again: only a process that names the run's folder is the run's. */
async function livingChildren({ path, journal }: RunFolder): Promise<{ pid: number; process: string }[]> {
  const started = eventsOf(journal).filter((event) => event.type === 'process.started');
  const alive = await Promise.all(
    started.map(async ({ pid }) => (await readProc(pid, 'cmdline')).includes(path)),
  );
  return started.filter((_, i) => alive[i]).map(({ pid, process }) => ({ pid, process }));
}

function eventsOf(journal: string): StampedEvent[] {
  try {
    return readJournal(journal);
  } catch {
    return [];
  }
}

/** Its parent is the `simulate` that started it; an orphan's is init, or whoever adopts. */
async function hasSupervisor(pid: number): Promise<boolean> {
  const parent = /^PPid:\s*(\d+)/m.exec(await readProc(pid, 'status'))?.[1];
  return parent !== undefined && (await readProc(Number(parent), 'cmdline')).split('\0').includes('simulate');
}

/** Empty where there is no such process, or no /proc. */
function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
