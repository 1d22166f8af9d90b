import { execFileSync, spawn } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { type Anvil, startAnvil } from '../../../src/process/anvil.js';
import { openLeash } from '../../../src/process/leash.js';
import { startChild, untilReady } from '../../../src/process/supervise.js';
import { eventually, isAlive, isPortFree } from '../../helpers/processes.js';

const running: Anvil[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const anvil of running.splice(0)) await anvil.stop();
});

async function anvilOn(port?: number): Promise<Anvil> {
  const anvil = await startAnvil({ blockTimeSeconds: 0.5, ...(port === undefined ? {} : { port }) });
  running.push(anvil);
  return anvil;
}

test('anvil takes a free port, answers, and gives the port back when stopped', async () => {
  const anvil = await anvilOn();
  expect(anvil.port).toBeGreaterThan(0);
  expect(await isPortFree(anvil.port)).toBe(false);
  await anvil.stop();
  await anvil.stop();
  expect(isAlive(anvil.child.pid)).toBe(false);
  expect(await isPortFree(anvil.port)).toBe(true);
});

test.each([
  ['of the last blocks', false],
  ['of all blocks', true],
])('a chain that has ended leaves no states behind, where those %s were kept', async (_, keepsHistory) => {
  const home = mkdtempSync(join(tmpdir(), 'panthalia-home-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('TMPDIR', home);
  const anvil = await startAnvil({ keepsHistory });
  running.push(anvil);
  const ask = async (method: string, params: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(anvil.rpcUrl, { method: 'POST', headers, body })).json();
  };
  await ask('anvil_mine', ['0x258']);
  const balanceAt = (block: number) =>
    ask('eth_getBalance', [`0x${'00'.repeat(20)}`, `0x${block.toString(16)}`]);
  expect(await balanceAt(0x258 - 64)).toMatchObject({ result: '0x0' });
  const kept = { result: '0x0' };
  expect(await balanceAt(1)).toMatchObject(keepsHistory ? kept : { error: expect.anything() });
  await anvil.stop();
  const left = readdirSync(home, { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => name.includes('anvil-'))).toEqual([]);
  rmSync(home, { recursive: true });
});

test('a port in use is one clear error and leaves no process', async () => {
  const first = await anvilOn();
  await expect(startAnvil({ port: first.port })).rejects.toMatchObject({
    code: 'process.port_in_use',
    message: `Port ${first.port}, wanted by anvil, is in use by another program.`,
  });
});

test('a child that exits before it is ready rejects with its last words', async () => {
  const leash = openLeash();
  // The threads that write files have other work for longer than the child lives.
  const work = Array.from({ length: 4 }, () => promisify(pbkdf2)('', '', 1_000_000, 32, 'sha256'));
  const child = await startChild({
    name: 'crasher',
    command: process.execPath,
    args: ['-e', 'console.error("no such file"); process.exit(3)'],
    env: process.env,
    logPath: join(mkdtempSync(join(tmpdir(), 'panthalia-child-')), 'crasher.log'),
    leash,
  });
  await expect(untilReady(child, new Promise(() => {}), 50_000)).rejects.toMatchObject({
    code: 'process.exited_early',
    message: 'crasher ended with code 3. It last said: no such file',
    next: `read ${child.logPath}`,
  });
  expect(readFileSync(child.logPath ?? '', 'utf8')).toBe('no such file\n');
  leash.close();
  await Promise.all(work);
});

test('an abort stops the child', async () => {
  const leash = openLeash();
  const abort = new AbortController();
  const child = await startChild({
    name: 'sleeper',
    command: '/bin/sleep',
    args: ['60'],
    env: {},
    leash,
    signal: abort.signal,
  });
  abort.abort();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
  leash.close();
});

test('the leash kills every held group at the end of its pipe, even one that ignores SIGTERM, and no freed one', async () => {
  // However a supervisor dies, the kernel closes its pipe; closing it here is the same to the watcher.
  const leash = openLeash();
  const stubborn = spawn('/bin/sh', ['-c', "trap '' TERM; echo deaf; sleep 60 & wait; wait"], {
    detached: true,
  });
  // Before it has said so it is as polite as any.
  await once(stubborn.stdout, 'data');
  const freed = spawn('/bin/sleep', ['60'], { detached: true });
  for (const child of [stubborn, freed]) leash.hold(child.pid as number);
  leash.free(freed.pid as number);
  leash.close();
  await new Promise((resolve) => stubborn.once('exit', resolve));
  expect(stubborn.signalCode).toBe('SIGKILL');
  expect(isAlive(freed.pid as number)).toBe(true);
  freed.kill('SIGKILL');
  await eventually('the watcher is gone too', () => !isAlive(leash.pid));
});

test('the watcher is in a group of its own, where a Ctrl-C at the terminal does not reach it', () => {
  const leash = openLeash();
  const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(leash.pid)], { encoding: 'utf8' });
  expect(Number(group)).toBe(leash.pid);
  leash.close();
});
