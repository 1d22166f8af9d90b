/** What a worker has seen of the tasks it computed, kept until they are final: enough to answer about any step after a crash without
 *  computing again. 400 bytes a step, where a state has megabytes. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../data/files.js';
import type { Made } from '../protocol/check.js';
import type { Hex32 } from '../protocol/task.js';

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

/** folder: outlives the process */
export async function keep(folder: string, taskId: Hex32, made: Made): Promise<void> {
  const { leaves, seen, resultRoot } = made;
  await writeFileWhole(pathOf(folder, taskId), JSON.stringify({ leaves, seen, resultRoot }));
}

/** null where nothing is kept, or nothing that can be read: it can be computed again. */
export async function recall(folder: string, taskId: Hex32): Promise<Made | null> {
  try {
    return madeSchema.parse(JSON.parse(await readFile(pathOf(folder, taskId), 'utf8')));
  } catch {
    return null;
  }
}

/** Nobody asks about tasks that have ended. */
export async function forget(folder: string, hasEnded: (taskId: Hex32) => boolean): Promise<void> {
  const files = await readdir(folder).catch(() => []);
  const ended = files.filter(
    (file) => file.endsWith(suffix) && hasEnded(file.slice(0, -suffix.length) as Hex32),
  );
  await Promise.all(ended.map((file) => rm(join(folder, file), { force: true })));
}

const suffix = '.made.json';

function pathOf(folder: string, taskId: Hex32): string {
  return join(folder, `${taskId}${suffix}`);
}
