/** Publishes versions as fast as it can and says which are durable, until it is killed or the disk is full.
 *  argv: journal file */
import { VersionJournal } from '../../src/data/versions.js';
import type { PanthaliaError } from '../../src/errors.js';
import { versionAfter } from '../helpers/versions.js';

const journal = await VersionJournal.open(process.argv[2] as string);
try {
  for (;;) {
    const version = versionAfter(journal.latest);
    await journal.append(version);
    process.stdout.write(`${version.number}\n`);
  }
} catch (error) {
  process.stdout.write(`${(error as PanthaliaError).code}\n`);
}
