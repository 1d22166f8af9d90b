/** The command that makes a configuration again. */
import { presets } from './presets.js';
import type { RunConfig } from './schema.js';

/** flag -> where its value stands. Settings without a flag come from a file only. */
const flags: [flag: string, read: (config: RunConfig) => unknown][] = [
  ['--workers', ({ workers }) => workers],
  ['--seats-per-worker', ({ seatsPerWorker }) => seatsPerWorker],
  ['--rounds', ({ rounds }) => rounds],
  ['--slots', ({ slotsPerRound }) => slotsPerRound],
  ['--inner-steps', ({ innerSteps }) => innerSteps],
  ['--seed', ({ seed }) => seed],
  ['--opset', ({ opset }) => opset],
  ['--threads', ({ threads }) => threads],
  ['--device', ({ device }) => device],
  ['--audit', ({ audit }) => audit],
  ['--challenge-seconds', ({ chain }) => chain.challengeSeconds],
  ['--block-time', ({ chain }) => chain.blockSeconds],
];

/** Ports are left out: another run may have them. When the configuration has settings that no flag can give, `--config` names the
 *  file that a run leaves beside its manifest. */
export function commandOf(config: RunConfig): string {
  const preset = presets[config.preset]?.();
  if (preset === undefined || hasFileSettings(config, preset))
    return 'panthalia simulate --config config.json';
  const given = flags
    .filter(([, read]) => read(config) !== read(preset) && read(config) !== null)
    .map(([flag, read]) => `${flag} ${read(config)}`);
  const cheats = Object.entries(config.cheats).map(([worker, fault]) => `--cheat ${worker}:${fault}`);
  return ['panthalia simulate', `--preset ${config.preset}`, ...given, ...cheats].join(' ');
}

function hasFileSettings(config: RunConfig, preset: RunConfig): boolean {
  const rest = ({ model, batch, inner, outer, validationWindows }: RunConfig) =>
    JSON.stringify({ model, batch, inner, outer, validationWindows });
  return rest(config) !== rest(preset);
}
