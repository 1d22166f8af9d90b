/** defaults < preset < file < environment and flags. Whatever no layer knows is an error, not a silence. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { PanthaliaError } from '../errors.js';
import { presets, tiny } from './presets.js';
import { type PartialConfig, type RunConfig, runConfigSchema } from './schema.js';

export interface ConfigSources {
  /** path of a JSON file */
  file?: string;
  /** from the command line and PANTHALIA_* */
  flags: PartialConfig;
}

/** throws PanthaliaError `config.*`, naming the key, what was expected and what was found */
export function loadConfig(sources: ConfigSources): RunConfig {
  const file = sources.file === undefined ? {} : readConfigFile(sources.file);
  const preset = presetNamed(sources.flags.preset ?? file.preset ?? tiny().preset);
  const merged = merge(merge(preset, file), sources.flags);
  const result = runConfigSchema.safeParse(merged, { reportInput: true });
  if (result.success) return result.data;
  const from = sources.file === undefined ? '' : ` (${sources.file} and the command line)`;
  throw new PanthaliaError('usage', `The configuration${from} is wrong: ${describeIssues(result.error)}.`, {
    code: 'config.invalid',
    details: { issues: result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
    next: 'panthalia simulate --help',
  });
}

function presetNamed(name: string): RunConfig {
  const preset = presets[name];
  if (preset !== undefined && Object.hasOwn(presets, name)) return preset();
  const known = Object.keys(presets).join(', ');
  throw new PanthaliaError('usage', `There is no preset ${JSON.stringify(name)}; there are ${known}.`, {
    code: 'config.unknown_preset',
    details: { received: name, known: Object.keys(presets) },
    next: 'panthalia simulate --preset tiny',
  });
}

/** Its keys are checked with everything else, after the merge. */
export function readConfigFile(path: string): PartialConfig {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isRecord(value)) return value as PartialConfig;
    throw new Error('expected an object at the top');
  } catch (cause) {
    throw new PanthaliaError('config', `${path} can not be read as JSON: ${(cause as Error).message}.`, {
      code: 'config.unreadable_file',
      details: { path },
      next: 'panthalia simulate --help lists the settings',
      cause,
    });
  }
}

/** The upper layer wins key by key, one level into the groups. `cheats` is replaced whole. */
function merge<T extends object>(lower: T, upper: object): T {
  const merged = { ...lower } as Record<string, unknown>;
  for (const [key, value] of Object.entries(upper)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = key !== 'cheats' && isRecord(below) && isRecord(value) ? merge(below, value) : value;
  }
  return merged as T;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One complaint about each setting, the first. */
function describeIssues(error: z.ZodError): string {
  const names = error.issues.map(({ path }) => path.join('.'));
  return error.issues
    .filter((_, i) => names[i] === '' || names.indexOf(names[i] ?? '') === i)
    .map(({ path, message, input, code }) => {
      const isTold = code === 'custom' || code === 'unrecognized_keys' || typeof input === 'object';
      const received = isTold ? '' : `, received ${JSON.stringify(input)}`;
      return `${path.length === 0 ? '' : `${path.join('.')}: `}${message}${received}`;
    })
    .join('; ');
}
