/** Every instruction set with every number of threads: minutes, most of them the scalar kernels'. npm test takes each once. */
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/loadAddon.js';
import { history, type Machine, slice, tiny } from '../helpers/canonHistory.js';

const threads = [1, 2, 3, 4, 8];

async function everyMachine(): Promise<Machine[]> {
  const { isa: isas } = (await loadAddon()).buildInfo();
  return isas.flatMap((isa) => threads.map((count) => ({ isa, threads: count })));
}

describe('every instruction set of this CPU with 1, 2, 3, 4 and 8 threads gives the same bits', () => {
  it.each([
    ['500 steps of a tiny model', tiny, 500],
    ['20 steps of a layer as wide as GPT-2', slice, 20],
  ] as const)('over %s', async (_, of, steps) => {
    const histories = new Map<string, string[]>();
    for (const machine of await everyMachine()) {
      const hash = await history({ ...of, ...machine }, steps);
      histories.set(hash, [...(histories.get(hash) ?? []), `${machine.isa} ${machine.threads}`]);
    }
    expect([...histories.values()]).toHaveLength(1);
  });
});
