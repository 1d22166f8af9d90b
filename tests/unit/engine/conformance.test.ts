import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conformanceBatch, conformanceDefaults, pinnedDigests } from '../../../src/engine/conformance.js';
import type { Hex32 } from '../../../src/protocol/task.js';

const document = readFileSync(new URL('../../../docs/opset-canon-f32-v1.md', import.meta.url), 'utf8');

test('the digests that a worker compares with are those of the document', () => {
  const [, block = ''] =
    /<!-- conformance digest: begin -->\n(.*?)<!-- conformance digest: end -->/s.exec(document) ?? [];
  const rows = [...block.matchAll(/S = (\d+) +(0x[0-9a-f]{64})/g)];
  expect(Object.fromEntries(rows.map(([, steps, digest]) => [steps, digest]))).toEqual(pinnedDigests);
  const { steps, shortSteps } = conformanceDefaults;
  expect(Object.keys(pinnedDigests).map(Number)).toEqual([shortSteps, steps]);
});

test('tokens come from the generator of the document', () => {
  const seed: Hex32 = `0x${'00'.repeat(31)}2a`;
  const { inputs, targets } = conformanceBatch(seed, 1, 3);
  expect([inputs.length, targets.length]).toEqual([9 * 131, 9 * 131]);
  const tokenOf = (j: number) => {
    const message = Buffer.concat([
      Buffer.from('panthalia-conformance/1'),
      Buffer.from(seed.slice(2), 'hex'),
      Buffer.from(Uint32Array.of(1, 3, Math.floor(j / 8)).buffer),
    ]);
    return (
      createHash('sha256')
        .update(message)
        .digest()
        .readUInt32LE(4 * (j % 8)) % 67
    );
  };
  const all = [...inputs, ...targets];
  for (const j of [0, 7, 8, 1178, 1179, 2357]) expect(all[j]).toBe(tokenOf(j));
});
