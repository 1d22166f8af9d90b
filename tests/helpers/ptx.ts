/** What nvcc makes of a kernel, and what in it could round otherwise than IEEE arithmetic written out.
 *  source: PTX ISA 9.0, 9.7.3 floating-point instructions: an add, sub or mul without .rn may be contracted */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildFolder, projectRoot } from '../../src/engine/loadAddon.js';

const execute = promisify(execFile);
const native = join(projectRoot, 'native');
export const kernelFolder = join(native, 'kernels/canon');
export const nvccFlags = join(kernelFolder, 'nvcc_flags.txt');
/** The oldest device we make code for; the driver makes machine code of it for all newer ones. */
const common = ['-ptx', '-std=c++17', '-arch=compute_80', `-I${native}`];

/** null: it does not run here. */
export async function nvccVersion(): Promise<string | null> {
  try {
    return (await execute('nvcc', ['--version'])).stdout;
  } catch {
    return null;
  }
}

/** PTX of a source, kept in build/ptx under the hash of everything it is made of. */
export async function compilePtx(source: string, flags: string[]): Promise<string> {
  const hash = createHash('sha256').update(
    JSON.stringify([await nvccVersion(), await readFile(nvccFlags, 'utf8'), flags]),
  );
  for (const path of await withIncluded(source)) hash.update(await readFile(path));
  const folder = join(buildFolder, 'ptx');
  const kept = join(folder, `${hash.digest('hex')}.ptx`);
  const ready = await readFile(kept, 'utf8').catch(() => null);
  if (ready !== null) return ready;
  await mkdir(folder, { recursive: true });
  const part = await mkdtemp(join(folder, 'part-'));
  try {
    await execute('nvcc', [...common, ...flags, '-o', join(part, 'ptx'), source]);
    await rename(join(part, 'ptx'), kept);
    return await readFile(kept, 'utf8');
  } finally {
    await rm(part, { recursive: true });
  }
}

/** A source and the files of ours that it includes. */
async function withIncluded(source: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(source)) return found;
  found.add(source);
  const text = await readFile(source, 'utf8');
  for (const [, path] of text.matchAll(/^#include "(.+)"$/gm))
    await withIncluded(join(native, path as string), found);
  return found;
}

/** The same for the text of a kernel. */
export async function compileText(text: string, folder: string, flags: string[]): Promise<string> {
  const path = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.cu`);
  await writeFile(path, text);
  return compilePtx(path, flags);
}

/** Opcodes in their order, without labels, directives and what guards them. */
export function opcodes(ptx: string): string[] {
  return ptx
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .split(/[;{}\n]/)
    .map((line) =>
      line
        .trim()
        .replace(/^\$?\w+:\s*/, '')
        .replace(/^@!?%\w+\s+/, ''),
    )
    .filter((line) => /^[a-z]/.test(line))
    .map((line) => line.split(/\s/)[0] as string);
}

/** Rounded as IEEE says, or exact. Everything else that touches a floating-point number is a fault. */
const allowed =
  /^(add|sub|mul|fma|div|sqrt)\.rn\.f32$|^cvt\.rn\.f32\.[su](32|64)$|^(neg|mov|selp)\.f32$|^setp\.(eq|ne|lt|le|gt|ge)u?\.f32$|^(ld|st)\.(global|shared|local|param)(\.nc)?(\.v[24])?\.f32$/;
const floating = /\.(f16x2|f16|bf16x2|bf16|tf32|f32x2|f32|f64)\b|approx|ftz/;

/** The opcodes by which two correct compilers could get different bits, and calls: no kernel here needs a function. */
export function floatFaults(ptx: string): string[] {
  const faults = opcodes(ptx).filter(
    (opcode) => (floating.test(opcode) && !allowed.test(opcode)) || /^call\b/.test(opcode),
  );
  return [...new Set(faults)].sort();
}

/** What depends on the contraction that nvcc does by itself unless it is told not to. */
export const floatOpcodes = (ptx: string) => opcodes(ptx).filter((opcode) => floating.test(opcode));
