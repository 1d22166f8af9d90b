/** Publishes versions as fast as it can and says which are durable, until it is killed.  argv: journal file */
import { VersionJournal } from '../../src/data/versions.js';
import { versionAfter } from '../helpers/versions.js';

const journal = await VersionJournal.open(process.argv[2] as string);
for (;;) {
  const version = versionAfter(journal.latest);
  await journal.append(version);
  process.stdout.write(`${version.number}\n`);
}
