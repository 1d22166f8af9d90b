/** Solidity and TypeScript compute the same: tests/contracts/Differential*.t.sol on thousands of vectors of a fixed and of a fresh
 *  seed. To repeat a run: PANTHALIA_SEED=<seed> npx vitest run --project chain differential */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { forgeBinary } from '../../src/chain/compile.js';
import { marketVectors } from '../helpers/marketVectors.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const count = 10_000;
const fresh = process.env.PANTHALIA_SEED ?? `0x${randomBytes(8).toString('hex')}`;

test('the vectors in git are what TypeScript computes', async () => {
  await expect(marketVectors(1n, 60)).toMatchFileSnapshot(join(root, 'tests/fixtures/marketVectors.hex'));
});

test.each([
  ['fixed', '0x70616e7468616c6961'],
  ['fresh', fresh],
])(
  '10,000 random vectors, %s seed %s',
  (_, seed) => {
    console.log(`seed of ${count} vectors: ${seed}`);
    const file = join('cache', `vectors.${process.pid}.hex`);
    mkdirSync(join(root, 'cache'), { recursive: true });
    writeFileSync(join(root, file), marketVectors(BigInt(seed), count));
    try {
      const args = [
        'test',
        '--root',
        root,
        '--match-contract',
        'DifferentialTest',
        '--memory-limit',
        '2147483648',
      ];
      const env = { ...process.env, PANTHALIA_VECTORS: file };
      const { status, stdout, stderr } = spawnSync(forgeBinary(), args, { cwd: root, env, encoding: 'utf8' });
      expect(status, `seed ${seed}\n${stdout}\n${stderr}`).toBe(0);
      expect(stdout).toContain('2 tests passed, 0 failed');
    } finally {
      rmSync(join(root, file), { force: true });
    }
  },
  300_000,
);
