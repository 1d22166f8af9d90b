/** Writes events into a journal until the disk is full.  argv: path of the journal */
import { createBus } from '../../src/events/bus.js';
import { openJournal } from '../../src/events/journal.js';

const [path = ''] = process.argv.slice(2);
const bus = createBus({ run: 'demo' });
bus.subscribe(openJournal(path).append);
try {
  for (let i = 0; ; i++) bus.emitterFor('sot')({ type: 'worker.idle', reason: `${i} `.repeat(10) });
} catch (error) {
  console.log((error as { code?: string }).code);
}
