/** A provider's URL is a password: it stands in the deployment file, and in nothing that ends in a log. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Anvil, startAnvil } from '../../src/process/anvil.js';
import { type Finished, runCli, temporaryFolder } from '../helpers/cli.js';
import { type MoodyRpc, NoAnswer, startMoodyRpc } from '../helpers/moodyRpc.js';

// A deployment is a dozen transactions, and may come after a compilation.
vi.setConfig({ testTimeout: 240_000 });

const out = join(temporaryFolder(), 'deployment.json');
let anvil: Anvil;
let rpc: MoodyRpc;
let isAway = false;
/** A key in each part that one may stand in. */
let secretUrl: string;
beforeAll(async () => {
  anvil = await startAnvil({ blockTimeSeconds: 0.1 });
  rpc = await startMoodyRpc(anvil.rpcUrl, async (method, params, pass) => {
    if (isAway) throw new NoAnswer(503);
    return pass(method, params);
  });
  secretUrl = `${rpc.url.replace('://', '://me:hush-1@')}/v2/hush-2?key=hush-3`;
});
afterAll(async () => {
  await rpc?.[Symbol.asyncDispose]();
  await anvil?.stop();
});

function said({ out: lines, err }: Finished): string {
  return [...lines, ...err].join('\n');
}

test.sequential('deploy tells where, keeps the rest for the file, and the file for its owner', async () => {
  for (const json of [['--json'], []]) {
    const args = ['deploy', '--rpc-url', secretUrl, '--mnemonic-index', '0', '--out', out];
    const deployed = await runCli([...args, ...json]);
    expect(deployed.code).toBe(0);
    expect(said(deployed)).not.toContain('hush');
    expect(deployed.err.at(-1)).toContain(`${out} holds the whole RPC URL`);
    if (json.length > 0) expect(JSON.parse(deployed.out[0] as string).data.rpcUrl).toBe(rpc.url);
  }
  expect(JSON.parse(readFileSync(out, 'utf8')).rpcUrl).toBe(secretUrl);
  expect(statSync(out).mode & 0o777).toBe(0o600);
});

const withSot = ['--sot-url', 'http://127.0.0.1:1/hush-4?key=hush-5'];
const commands: [string[], number][] = [
  [['status'], 0],
  [['status', '--json'], 0],
  [['status', '--json', ...withSot], 0],
  [['doctor', ...withSot], 3],
  [['unstake', '--mnemonic-index', '3'], 7],
  [['worker', '--mnemonic-index', '3', '--json', ...withSot], 6],
  [['worker', '--mnemonic-index', '3', '--sot-url', 'http://me:hush-6@127.0.0.1:1'], 2],
  [['worker', '--mnemonic-index', '3', '--sot-url', 'me:hush-7@127.0.0.1:1'], 2],
];

test.each(commands)(
  '%j says host and port at most, when all is well and when the node is away',
  async (args, exit) => {
    const command = [...args, '--deployment', out];
    const [well, away] = [
      await runCli(command),
      await (async () => {
        isAway = true;
        return runCli(command);
      })().finally(() => {
        isAway = false;
      }),
    ];
    expect(well.code).toBe(exit);
    expect(said(well)).not.toContain('hush');
    expect(away.code).not.toBe(0);
    expect(said(away)).not.toContain('hush');
    expect(said(away)).toContain(rpc.url);
  },
);
