import { Command } from 'commander';
import type { Setting } from '../../config/origin.js';
import type { CommandIo } from '../io.js';
import { withOutputOptions } from '../options.js';
import { result } from '../result.js';
import { attributeOf, configOf, type SettingFlags, withSettings } from '../settings.js';
import { textTable } from '../table.js';

interface ShowFlags extends SettingFlags {
  origin?: true;
  json?: true;
}

const examples = `Examples:
  panthalia config show                                the settings that simulate would run with
  panthalia config show --origin --workers 8           and where each of them comes from
  PANTHALIA_ROUNDS=2 panthalia config show --origin
  panthalia simulate --config runs/latest/config.json  the settings of an earlier run
`;

export function configCommand(io: CommandIo): Command {
  const command = new Command('config').description('the settings of a run').addHelpText('before', examples);
  const show = withSettings(new Command('show').description('every setting, with its value'))
    .option('--origin', 'say which layer each value came from: preset, file, environment, command line')
    .action((flags: ShowFlags, self: Command) => print(flags, self, io));
  return command.addCommand(withOutputOptions(show));
}

async function print(flags: ShowFlags, self: Command, io: CommandIo): Promise<void> {
  const [{ loadConfig }, { settingsOf }, { settingFlags }] = await Promise.all([
    import('../../config/load.js'),
    import('../../config/origin.js'),
    import('../../config/command.js'),
  ]);
  const { config: file, json } = flags;
  const sources = { ...(file === undefined ? {} : { file }), flags: configOf(flags) };
  if (json && !flags.origin) return io.print(result(loadConfig(sources)));
  const originOf = ({ key, origin }: Setting) => {
    if (origin === 'preset') return `preset ${loadConfig(sources).preset}`;
    if (origin === 'file') return `file ${file}`;
    const flag = settingFlags[key] ?? '';
    const isEnv = self.getOptionValueSource(attributeOf(flag)) === 'env';
    return isEnv
      ? `environment PANTHALIA_${flag.slice(2).toUpperCase().replaceAll('-', '_')}`
      : `flag ${flag}`;
  };
  const rows = settingsOf(sources).map((setting) => ({
    ...{ key: setting.key, value: setting.value },
    ...(flags.origin ? { origin: originOf(setting) } : {}),
  }));
  if (json) return io.print(result({ settings: rows }));
  const head = ['setting', 'value', ...(flags.origin ? ['from'] : [])];
  const cells = rows.map((row) => [
    row.key,
    JSON.stringify(row.value),
    ...('origin' in row ? [row.origin] : []),
  ]);
  io.print(textTable(head, cells));
}
