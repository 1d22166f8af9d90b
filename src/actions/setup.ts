/** Everything that is built on this machine. Each step finds out for itself whether it has anything to do. */
import { contractBytecode } from '../chain/compile.js';
import { buildEmbeddedCorpus } from '../data/embeddedCorpus.js';
import { ensureAddon } from '../engine/buildAddon.js';

/** say: a line for each step that takes time.  throws PanthaliaError of family build, with the way to mend it */
export async function setUp(
  say: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { built } = await buildEmbeddedCorpus();
  if (built) say('embedded corpus: built');
  say('contracts: compiling what changed');
  await contractBytecode(signal);
  await ensureAddon({ log: say });
}
