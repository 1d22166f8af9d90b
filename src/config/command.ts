/** Settings and their flags, and the command that makes a configuration again. */
import { presets } from './presets.js';
import type { PartialConfig, RunConfig } from './schema.js';

/** Key of a setting -> its flag. The others come from a preset or a file only. */
export const settingFlags: Readonly<Record<string, string>> = {
  preset: '--preset',
  workers: '--workers',
  seatsPerWorker: '--seats-per-worker',
  rounds: '--rounds',
  slotsPerRound: '--slots',
  innerSteps: '--inner-steps',
  seed: '--seed',
  opset: '--opset',
  threads: '--threads',
  device: '--device',
  audit: '--audit',
  cheats: '--cheat',
  'chain.challengeSeconds': '--challenge-seconds',
  'chain.blockSeconds': '--block-time',
  'chain.rpcPort': '--rpc-port',
  'chain.sotPort': '--sot-port',
};

/** chain.blockSeconds -> what stands there; undefined where nothing does */
export function settingAt(config: PartialConfig, key: string): unknown {
  const inside = (value: unknown, name: string) =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  return key.split('.').reduce(inside, config);
}

/** Ports are left out: another run may have them. When the configuration has settings that no flag can give, `--config` names the
 *  file that a run leaves beside its manifest. */
export function commandOf(config: RunConfig): string {
  const preset = presets[config.preset]?.();
  if (preset === undefined || hasFileSettings(config, preset))
    return 'panthalia simulate --config config.json';
  const flags = Object.entries(settingFlags).filter(
    ([key]) => !['preset', 'cheats', 'chain.rpcPort', 'chain.sotPort'].includes(key),
  );
  const given = flags
    .map(([key, flag]) => ({ flag, value: settingAt(config, key), usual: settingAt(preset, key) }))
    .filter(({ value, usual }) => value !== usual && value !== null)
    .map(({ flag, value }) => `${flag} ${value}`);
  const cheats = Object.entries(config.cheats).map(([worker, fault]) => `--cheat ${worker}:${fault}`);
  return ['panthalia simulate', `--preset ${config.preset}`, ...given, ...cheats].join(' ');
}

function hasFileSettings(config: RunConfig, preset: RunConfig): boolean {
  const rest = ({ model, batch, inner, outer, validationWindows }: RunConfig) =>
    JSON.stringify({ model, batch, inner, outer, validationWindows });
  return rest(config) !== rest(preset);
}
