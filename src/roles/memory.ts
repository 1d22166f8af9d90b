/** What a worker has seen of the tasks it computed, and found about cases, kept until they are final: enough to answer about any step, or to
 *  open a vote, after a crash without computing again. 400 bytes a step, where a state has megabytes. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../data/files.js';
import type { Made } from '../protocol/check.js';
import type { Verdict } from '../protocol/facts.js';
import type { Hex32 } from '../protocol/task.js';
import type { Attention } from '../protocol/vote.js';

const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((value) => value as Hex32);
const madeSchema = z.strictObject({
  leaves: z.array(hex32),
  seen: z.array(
    z.strictObject({
      ...{ stateRoot: hex32, gradientRoot: hex32, batchDigest: hex32 },
      ...{ loss: z.number(), gradientNorm: z.number() },
      scalars: z.strictObject({ stepSize: z.int(), secondMomentScale: z.int(), decay: z.int() }),
    }),
  ),
  resultRoot: hex32.nullable(),
});

/** What a verifier found about a case. Whoever finds something else after a restart, since a blob has come or gone, can not open what it has
 *  committed to. */
export interface Vote {
  verdict: Verdict;
  seen: Attention | null;
}

const voteSchema = z.strictObject({
  verdict: z.enum(['valid', 'invalid', 'unavailable']),
  seen: z
    .strictObject({ stateRoot: hex32, gradientRoot: hex32, loss: z.number(), gradientNorm: z.number() })
    .nullable(),
});

/** folder: outlives the process */
export async function keep(folder: string, taskId: Hex32, made: Made): Promise<void> {
  const { leaves, seen, resultRoot } = made;
  await writeFileWhole(pathOf(folder, taskId, 'made'), JSON.stringify({ leaves, seen, resultRoot }));
}

/** null where nothing is kept, or nothing that can be read: it can be computed again. */
export async function recall(folder: string, taskId: Hex32): Promise<Made | null> {
  return read(pathOf(folder, taskId, 'made'), madeSchema);
}

export async function keepVote(folder: string, caseId: Hex32, { verdict, seen }: Vote): Promise<void> {
  await writeFileWhole(pathOf(folder, caseId, 'vote'), JSON.stringify({ verdict, seen }));
}

/** null as in `recall` */
export async function recallVote(folder: string, caseId: Hex32): Promise<Vote | null> {
  return read(pathOf(folder, caseId, 'vote'), voteSchema);
}

/** Nobody asks about tasks and cases that have ended.  hasEnded: of the id of either */
export async function forget(folder: string, hasEnded: (id: Hex32) => boolean): Promise<void> {
  const files = await readdir(folder).catch(() => []);
  const ended = files.filter((file) => {
    const id = kept.exec(file)?.[1];
    return id !== undefined && hasEnded(id as Hex32);
  });
  await Promise.all(ended.map((file) => rm(join(folder, file), { force: true })));
}

const kept = /^(0x[0-9a-f]{64})\.(?:made|vote)\.json$/;

function pathOf(folder: string, id: Hex32, what: 'made' | 'vote'): string {
  return join(folder, `${id}.${what}.json`);
}

async function read<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
