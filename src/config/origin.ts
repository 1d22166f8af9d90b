/** Which layer each setting of a configuration came from. */
import { settingAt } from './command.js';
import { type ConfigSources, loadConfig, readConfigFile } from './load.js';

export interface Setting {
  /** chain.blockSeconds */
  key: string;
  value: unknown;
  origin: 'preset' | 'file' | 'flag';
}

/** Every setting, in the order of the schema. `flag` is the command line or the environment: who reads them knows which.
 *  throws what loadConfig throws */
export function settingsOf(sources: ConfigSources): Setting[] {
  const file = sources.file === undefined ? {} : readConfigFile(sources.file);
  const originOf = (key: string) =>
    settingAt(sources.flags, key) !== undefined
      ? 'flag'
      : settingAt(file, key) !== undefined
        ? 'file'
        : 'preset';
  return leaves(loadConfig(sources)).map(([key, value]) => ({ key, value, origin: originOf(key) }));
}

/** Cheats are one setting: a layer replaces them whole. */
function leaves(value: object, prefix = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([name, item]): [string, unknown][] => {
    const key = `${prefix}${name}`;
    const isGroup = typeof item === 'object' && item !== null && key !== 'cheats';
    return isGroup ? leaves(item, `${key}.`) : [[key, item]];
  });
}
