/** The settings of a run as flags and PANTHALIA_*: `simulate` takes them, `config show` tells where they came from. */
import { type Command, Option } from 'commander';
import { settingFlags } from '../config/command.js';
import type { PartialConfig } from '../config/schema.js';
import { cheat, positiveNumber, wholeNumber } from './options.js';

export interface SettingFlags {
  config?: string;
  preset?: string;
  workers?: number;
  seatsPerWorker?: number;
  rounds?: number;
  slots?: number;
  innerSteps?: number;
  seed?: number;
  opset?: 'canon-f32-v1' | 'torch';
  threads?: number;
  device?: 'cpu' | 'cuda' | 'auto';
  cheat?: Record<string, string>;
  audit?: 'never' | 'assigned' | 'all' | 'drawn';
  challengeSeconds?: number;
  blockTime?: number;
  rpcPort?: number;
  sotPort?: number;
}

export function withSettings(command: Command): Command {
  return command
    .option('--config <file>', 'JSON file with settings, below the flags')
    .addOption(setting('--preset <name>', 'where the settings start from: tiny, smoke (default: tiny)'))
    .addOption(setting('-w, --workers <n>', 'worker processes', wholeNumber))
    .addOption(
      setting('--seats-per-worker <n>', 'solver seats and verifier seats each of them stakes', wholeNumber),
    )
    .addOption(setting('--rounds <n>', 'outer steps', wholeNumber))
    .addOption(setting('--slots <n>', 'tasks per round', wholeNumber))
    .addOption(setting('--inner-steps <n>', 'H, inner steps per task', wholeNumber))
    .addOption(setting('--seed <n>', 'of the initialisation and the batches', wholeNumber))
    .addOption(
      setting('--opset <name>', 'arithmetic of the run; torch differs between machines').choices([
        'canon-f32-v1',
        'torch',
      ]),
    )
    .addOption(setting('--threads <n>', 'threads of each engine', wholeNumber))
    .addOption(setting('--device <device>', 'where the engines compute').choices(['cpu', 'cuda', 'auto']))
    .addOption(
      setting('--audit <policy>', 'which tasks workers re-execute unasked').choices([
        'never',
        'assigned',
        'all',
        'drawn',
      ]),
    )
    .addOption(
      setting('--challenge-seconds <s>', 'time to dispute a result (default: measured)', positiveNumber),
    )
    .addOption(setting('--block-time <s>', 'seconds between blocks', positiveNumber))
    .addOption(setting('--rpc-port <n>', 'port of the chain; 0 takes a free one', wholeNumber))
    .addOption(setting('--sot-port <n>', 'port of the Source of Truth; 0 takes a free one', wholeNumber))
    .option('--cheat <worker:fault>', 'make a worker misbehave, e.g. worker_2:zero-delta; repeatable', cheat);
}

/** What the flags say, where it stands in a configuration. */
export function configOf(flags: SettingFlags): PartialConfig {
  const config: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(settingFlags)) {
    const value = flags[attributeOf(flag) as keyof SettingFlags];
    if (value === undefined) continue;
    const [group = '', name] = key.split('.');
    if (name === undefined) config[group] = value;
    else config[group] = { ...(config[group] as object | undefined), [name]: value };
  }
  return config as PartialConfig;
}

/** --block-time -> blockTime, as commander names it */
export function attributeOf(flag: string): string {
  return flag.replace(/^--/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function setting<T>(flags: string, description: string, parse?: (text: string) => T): Option {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
  const option = new Option(flags, description).env(`PANTHALIA_${name.toUpperCase().replaceAll('-', '_')}`);
  return parse === undefined ? option : option.argParser(parse);
}
