import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  clockFinding,
  gpuFinding,
  hopFindings,
  keystoreFinding,
  terminalFinding,
} from '../../../src/actions/examineHops.js';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'panthalia-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const statesOf = (findings: { name: string; state: string }[]) =>
  findings.map(({ name, state }) => `${name} ${state}`);

test('a node and a Source of Truth that do not answer have failed when they were named, and say what to do', async () => {
  const nowhere = { rpcUrl: 'http://127.0.0.1:1', sotUrl: 'http://127.0.0.1:1' };
  const named = await hopFindings({ deployment: null, ...nowhere, isNamed: true }, signal);
  expect(statesOf(named.slice(0, 2))).toEqual(['rpc failed', 'sot failed']);
  for (const { next } of named.slice(0, 2)) expect(next).toContain('start ');
  const over = await hopFindings({ deployment: null, ...nowhere, isNamed: false }, signal);
  expect(statesOf(over.slice(0, 2))).toEqual(['rpc skipped', 'sot skipped']);
  const missing = { deployment: join(folder, 'none.json'), isNamed: true };
  expect(statesOf(await hopFindings(missing, signal)).slice(0, 1)).toEqual(['rpc failed']);
  const nothing = await hopFindings({ deployment: null, isNamed: false }, signal);
  expect(statesOf(nothing.slice(0, 2))).toEqual(['rpc skipped', 'sot skipped']);
});

test('a clock far from the newest block has failed, on either side', async () => {
  const now = Date.UTC(2026, 0, 1) / 1000;
  for (const [seconds, state] of [
    [now - 2, 'ok'],
    [now + 29, 'ok'],
    [now - 3_600, 'failed'],
    [now + 3_600, 'failed'],
  ] as const) {
    expect(await clockFinding(seconds, signal, now * 1000)).toMatchObject({ state });
  }
});

test('a terminal is large enough and speaks UTF-8, or says what to change', () => {
  const env = { TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  expect(terminalFinding({ columns: 80, rows: 24, env })).toMatchObject({ state: 'ok' });
  expect(terminalFinding({ columns: 59, rows: 24, env }).next).toContain('window');
  expect(terminalFinding({ columns: 80, rows: 24, env: { ...env, LANG: 'C' } }).next).toContain('LANG');
  expect(terminalFinding({ columns: 80, rows: 24, env: { ...env, TERM: 'dumb' } }).state).toBe('failed');
  expect(terminalFinding({ columns: null, rows: null, env })).toMatchObject({ state: 'skipped' });
});

test('keystores that others may read are told, and closed when asked to', async () => {
  const path = join(folder, 'open');
  writeFileSync(path, '{}');
  chmodSync(path, 0o644);
  expect(await keystoreFinding(folder, { fix: false })).toMatchObject({
    state: 'failed',
    next: expect.stringContaining(path),
  });
  expect(await keystoreFinding(folder, { fix: true })).toMatchObject({ state: 'ok' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await keystoreFinding(folder, { fix: false })).toMatchObject({ state: 'ok' });
  expect(await keystoreFinding(join(folder, 'none'), { fix: false })).toMatchObject({ state: 'skipped' });
});

test('no GPU is fine, one whose driver does not answer is not', async () => {
  expect(await gpuFinding(signal, join(folder, 'no-such-program'))).toMatchObject({ state: 'skipped' });
  expect(await gpuFinding(signal, 'false')).toMatchObject({ state: 'failed' });
});
