import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../src/process/anvil.js';
import { processesNaming, runCli, temporaryFolder } from '../helpers/cli.js';

const folder = temporaryFolder();
const deployment = join(folder, 'deployment.json');
const occupied = createServer();
let anvil: Anvil;
let emptyAnvil: Anvil;
let occupiedPort = 0;
const oldJournal = join(import.meta.dirname, '../fixtures/journal/cheatedRun.jsonl');

beforeAll(async () => {
  anvil = await startAnvil({ blockTimeSeconds: 0.1 });
  emptyAnvil = await startAnvil({ blockTimeSeconds: 3600 });
  const { code, err } = await runCli([
    'deploy',
    '--rpc-url',
    anvil.rpcUrl,
    '--out',
    deployment,
    '--fund',
    '--mnemonic-index',
    '0',
  ]);
  expect([code, err.join('\n')]).toEqual([0, '']);
  await new Promise<void>((resolve) => occupied.listen(0, '127.0.0.1', resolve));
  occupiedPort = (occupied.address() as AddressInfo).port;
  mkdirSync(join(folder, 'full'));
  writeFileSync(join(folder, 'full', 'something'), '');
  writeFileSync(join(folder, 'broken.json'), '{"schema": ');
  const here = JSON.parse(readFileSync(deployment, 'utf8'));
  writeFileSync(join(folder, 'elsewhere.json'), JSON.stringify({ ...here, chainId: 1 }));
  writeFileSync(join(folder, 'settings.json'), '{"wokers": 4}');
  mkdirSync(join(folder, 'over'));
  copyFileSync(oldJournal, join(folder, 'over', 'journal.jsonl'));
  const [started = ''] = readFileSync(oldJournal, 'utf8').split('\n');
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(JSON.parse(started).manifest));
  mkdirSync(join(folder, 'cut'));
  copyFileSync(oldJournal, join(folder, 'cut', 'journal.jsonl'));
  writeFileSync(join(folder, 'cut', 'summary.json'), '{"schema":"panthalia-su');
});

afterAll(async () => {
  occupied.close();
  await Promise.all([anvil.stop(), emptyAnvil.stop()]);
});

const nowhere = 'http://127.0.0.1:1';
const smoke = () => ['simulate', '--preset', 'smoke', '--run-dir', join(folder, 'run')];
const sot = (...more: string[]) => [
  ...['sot', '--deployment', deployment, '--manifest', join(folder, 'manifest.json')],
  ...['--buyer', `0x${'1'.repeat(40)}`, ...more],
];
const here = () => ['--deployment', deployment, '--sot-url', nowhere];

/** what, arguments, exit code, a part of the sentence */
const table: [string, () => string[], number, string][] = [
  ['an unknown command', () => ['simulat'], 2, "Unknown command 'simulat'."],
  ['an unknown flag', () => ['simulate', '--wrokers', '3'], 2, "Unknown option '--wrokers'."],
  ['a number that is none', () => ['simulate', '--rounds', 'many'], 2, 'Expected a whole number.'],
  ['a time that no timer holds', () => ['worker', '--stay', '2147484'], 2, 'Expected at most 86400 seconds'],
  ['a bad choice', () => ['simulate', '--device', 'tpu'], 2, 'Allowed choices are cpu, cuda, auto.'],
  ['an unknown preset', () => ['simulate', '--preset', 'huge'], 2, 'There is no preset "huge"'],
  ['an unknown key in the file', () => ['simulate', '--config', join(folder, 'settings.json')], 2, 'wokers'],
  [
    'a run folder that can not be made',
    () => ['simulate', '--preset', 'smoke', '--run-dir', '/proc/x/y'],
    3,
    '/proc/x/y can not be written',
  ],
  [
    'a file that is not there',
    () => ['simulate', '--config', '/nowhere.json'],
    3,
    '/nowhere.json can not be read',
  ],
  ['an unknown fault', () => [...smoke(), '--cheat', 'worker_1:laziness'], 2, 'There is no fault "laziness"'],
  [
    'a cheat that is not in the run',
    () => [...smoke(), '--cheat', 'worker_9:silent'],
    2,
    'there is no such worker',
  ],
  [
    'a worker that is to be slashed and is not in the run',
    () => [...smoke(), '--expect-slashed', 'worker_9'],
    2,
    'the run has worker_0 to worker_3',
  ],
  ['a setting out of range', () => [...smoke(), '--workers', '31'], 2, 'received 31'],
  [
    'a state that no task is ever in',
    () => ['tasks', '--state', 'done', '--deployment', deployment],
    2,
    'No task is ever "done"',
  ],
  ['a run folder in use', () => [...smoke(), '--run-dir', join(folder, 'full')], 3, 'is not empty'],
  ['a run folder that can not be', () => [...smoke(), '--run-dir', '/dev/null/run'], 3, 'can not be written'],
  [
    'a chain port in use',
    () => [...smoke(), '--rpc-port', String(occupiedPort)],
    6,
    'wanted by anvil, is in use',
  ],
  ['a bad task id', () => ['dispute', 'task-12', ...here()], 2, 'A task id is 0x and up to 64 hex digits'],
  ['no deployment', () => ['worker', '--deployment', '/nowhere.json'], 3, '/nowhere.json can not be read'],
  ['a broken deployment', () => ['status', '--deployment', join(folder, 'broken.json')], 3, 'it is not JSON'],
  [
    'another chain',
    () => ['status', '--deployment', join(folder, 'elsewhere.json')],
    6,
    'Chain 1 was expected',
  ],
  ...['status', 'worker', 'unstake'].map((command): (typeof table)[number] => [
    `a chain that was started anew, for ${command}`,
    () => [command, '--deployment', deployment, '--rpc-url', emptyAnvil.rpcUrl],
    3,
    'There is no contract of ours',
  ]),
  ['an unreachable chain', () => ['status', '--deployment', deployment, '--rpc-url', nowhere], 6, nowhere],
  ['an unreachable SOT', () => ['worker', '--stake', ...here()], 6, nowhere],
  ['no SOT at all', () => ['worker', '--stake', '--deployment', deployment], 3, 'names no Source of Truth'],
  [
    'a report below a file',
    () => ['report', join(folder, 'over'), '--out', join(folder, 'manifest.json', 'report')],
    1,
    'Could not make the folder',
  ],
  ['half a summary', () => ['report', join(folder, 'cut')], 5, 'is no summary of a run'],
  [
    'a SOT whose folder is a file',
    () => sot('--data-dir', join(folder, 'manifest.json')),
    1,
    'Could not make the folder',
  ],
  [
    'a SOT at an address that is not here',
    () => sot('--data-dir', join(folder, 'sot'), '--host', '192.0.2.1'),
    6,
    'Nothing can listen at 192.0.2.1',
  ],
  [
    'a depth that no chain reaches',
    () => sot('--data-dir', join(folder, 'sot'), '--depth', '100000'),
    2,
    'Expected at most 10000 blocks.',
  ],
  ['a bad amount', () => ['worker', '--stake', '1e3', ...here()], 2, 'Expected an amount of tokens'],
  [
    'a key that is none',
    () => ['worker', ...here(), '--private-key', '0x12'],
    7,
    'A private key is 32 bytes of hex',
  ],
  ['a missing keystore', () => ['worker', ...here(), '--keystore', '/nowhere.json'], 7, 'can not be read'],
  [
    'two accounts',
    () => ['worker', ...here(), '--mnemonic-index', '1', '--keystore', '/x'],
    7,
    'One account was expected',
  ],
];

test.each(table)('%s', async (_, args, exitCode, sentence) => {
  const { code, out, err } = await runCli(args());
  const text = err.join('\n');
  expect(text).toContain(sentence);
  expect(text).not.toMatch(/\n\s+at /);
  const isProgress = (line: string) => /^\d\d:\d\d:\d\d /.test(line);
  expect(err.filter((line) => !line.startsWith('next: ') && !isProgress(line))).toHaveLength(1);
  expect(code).toBe(exitCode);
  expect(out.join('\n')).not.toContain('undefined');
  expect(processesNaming(folder).filter((line) => line.includes('panthalia.js'))).toEqual([]);
});

test('with --json the error is one envelope on stdout', async () => {
  const { code, out } = await runCli(['status', '--deployment', '/nowhere.json', '--json']);
  expect(code).toBe(3);
  expect(out).toHaveLength(1);
  expect(JSON.parse(out[0] ?? '')).toMatchObject({
    schema: 'panthalia-result/1',
    success: false,
    exitCode: 3,
    errors: [{ code: 'deployment.unreadable', next: expect.stringContaining('--deployment') }],
  });
});

test('a private key never comes back in an error', async () => {
  const key = 'f'.repeat(63);
  const { err } = await runCli(['worker', '--deployment', deployment, '--sot-url', nowhere], {
    env: { PANTHALIA_PRIVATE_KEY: key },
  });
  expect(err.join('\n')).toContain('private key');
  expect(err.join('\n')).not.toContain(key);
});

test('a wrong flag leads to the help of its command', async () => {
  const next = async (...args: string[]) => (await runCli(args)).err.at(-1);
  expect(await next('simulate', '--rounds', 'many')).toBe('next: panthalia simulate --help');
  expect(await next('wallet', 'new')).toBe('next: panthalia wallet new --help');
  expect(await next('wallet', 'old')).toBe('next: panthalia wallet --help');
  expect(await next('simulat')).toBe('next: Did you mean simulate?');
  expect(await next('taks')).toBe('next: Did you mean one of task, tasks?');
  expect(await next('simulate', '--round', '2')).toBe('next: Did you mean --rounds?');
  for (const args of [[], ['wallet']]) {
    const { code, err } = await runCli(args);
    const name = ['panthalia', ...args].join(' ');
    expect([code, ...err.slice(-2)]).toEqual([
      ...[2, `A command of ${name} was expected, none was given.`],
      `next: ${name} --help`,
    ]);
  }
  // A few letters in common are no slip.
  expect(await next('bogus')).toBe('next: panthalia --help');
  expect(await next('test')).toBe('next: panthalia --help');
});

test('help and version end with 0 and name every command', async () => {
  const help = await runCli(['--help']);
  expect(help.code).toBe(0);
  for (const command of ['simulate', 'worker', 'dispute', 'status', 'doctor', 'deploy', 'sot', 'master']) {
    expect(help.out.join('\n')).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
  }
  expect((await runCli(['--version'])).out).toEqual(['0.1.0']);
  expect((await runCli(['simulate', '--help'])).out.join('\n')).toContain('PANTHALIA_ROUNDS');
});
