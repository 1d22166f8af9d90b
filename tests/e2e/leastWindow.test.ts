/** The one number that a deployment can never mend: what no window of any subnet may be shorter than. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createChain } from '../../src/chain/client.js';
import { connectContracts } from '../../src/chain/contracts.js';
import { type Anvil, startAnvil } from '../../src/process/anvil.js';
import { runCli, temporaryFolder } from '../helpers/cli.js';

// A deployment is a dozen transactions, and may come after a compilation.
vi.setConfig({ testTimeout: 240_000 });

const out = join(temporaryFolder(), 'deployment.json');
let anvil: Anvil;
beforeAll(async () => {
  anvil = await startAnvil({ blockTimeSeconds: 0.1 });
});
afterAll(() => anvil?.stop());

function deploy(...flags: string[]) {
  const account = ['--mnemonic-index', '0', '--out', out, '--json'];
  return runCli(['deploy', '--rpc-url', anvil.rpcUrl, ...account, ...flags]);
}

test('it is the one that was given, and the windows of the first subnet are no shorter', async () => {
  const { code, err } = await deploy('--least-window', '45', '--challenge-seconds', '60');
  expect([code, err.join('\n')]).toEqual([0, '']);
  using chain = await createChain({ rpcUrl: anvil.rpcUrl });
  const { registry } = connectContracts(chain, JSON.parse(readFileSync(out, 'utf8')));
  expect(await registry.read('leastWindow', [])).toBe(45);
  const { openSeconds, challengeSeconds, revealSeconds, appealSeconds } = await registry.read('paramsOf', [
    ...([1, 1] as const),
  ]);
  expect({ openSeconds, challengeSeconds, revealSeconds, appealSeconds }).toEqual({
    ...{ openSeconds: 60, challengeSeconds: 60, revealSeconds: 45, appealSeconds: 45 },
  });
});

const refused: [string[], string, string][] = [
  [['--least-window', '0'], 'usage', 'Expected whole seconds from 1 to 2592000'],
  [['--least-window', '2592001'], 'usage', 'Expected whole seconds from 1 to 2592000'],
  [['--least-window', 'long'], 'usage', 'Expected a whole number'],
  [
    ['--least-window', '30', '--challenge-seconds', '20'],
    'deploy.window_too_short',
    'A challenge window of at least 30 seconds was expected, received 20',
  ],
];

test.each(refused)('%j is refused before anything is sent', async (flags, name, sentence) => {
  const { code, out: lines } = await deploy(...flags);
  const [error] = JSON.parse(lines.at(-1) ?? 'null').errors;
  expect([code, error.code]).toEqual([2, name]);
  expect(error.message).toContain(sentence);
  expect(error.next).toBeTruthy();
});

test('outside the development chain there is no default', async () => {
  using chain = await createChain({ rpcUrl: anvil.rpcUrl });
  await chain.provider.send('anvil_setChainId', [11]);
  const elsewhere = join(temporaryFolder(), 'deployment.json');
  const { code, err } = await deploy('--out', elsewhere);
  expect([code, err[0]]).toEqual([2, expect.stringContaining('The least window of chain 11 was expected')]);
  expect(err.at(-1)).toContain('--least-window SECONDS');
  expect(existsSync(elsewhere)).toBe(false);
});
