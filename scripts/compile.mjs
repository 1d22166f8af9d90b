/** src -> dist with tsc, only when a source changed. The new dist takes the place of the old one whole. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Whether there is something to run at all. */
export function isCompiled() {
  return existsSync(join(dist, 'cli/main.js'));
}

/** Returns null, or one sentence about what is wrong. */
export function compile() {
  const wanted = sourceHash();
  if (isCompiled() && readOr(join(dist, '.sources'), '') === wanted) return null;
  // Two builds at once must not write into one folder.
  const fresh = join(root, `dist.${process.pid}.part`);
  const old = join(root, `dist.${process.pid}.old`);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status, error } = spawnSync(process.execPath, [tsc, '-p', root, '--outDir', fresh], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    return `src does not compile (tsc ended with ${error?.message ?? `code ${status}`}).`;
  }
  writeFileSync(join(fresh, '.sources'), wanted);
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } catch (cause) {
    // Another build put its dist there first.
    if (readOr(join(dist, '.sources'), '') !== wanted) throw cause;
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
  return null;
}

function sourceHash() {
  const hash = createHash('sha256');
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .sort()
    .map((name) => join('src', name));
  for (const name of [...files, 'tsconfig.json', 'package.json']) {
    hash.update(`${name}\0`).update(readFileSync(join(root, name)));
  }
  return hash.digest('hex');
}

function readOr(path, fallback) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}
