import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/events/journal.js';
import { decodeEvent } from '../../src/events/line.js';
import type { RunSummary } from '../../src/events/summary.js';
import type { StampedEvent } from '../../src/events/types.js';
import { type Cli, processesNaming, startCli, temporaryFolder } from '../helpers/cli.js';
import { eventually, isPortFree } from '../helpers/processes.js';

function startRun(...flags: string[]): { cli: Cli; folder: string } {
  const folder = join(temporaryFolder(), 'run');
  const args = ['simulate', '--preset', 'smoke', '--rounds', '50', '--json', '--run-dir', folder, ...flags];
  return { cli: startCli(args), folder };
}

const moments: [string, (event: StampedEvent) => boolean][] = [
  ['the run starts', ({ type }) => type === 'run.started'],
  ['the chain is up', (event) => event.type === 'process.started' && event.process === 'anvil'],
  ['the SOT is ready', (event) => event.type === 'process.ready' && event.process === 'sot'],
  ['a task is being solved', ({ type }) => type === 'task.solving'],
];

test.each(moments)(
  'Ctrl-C when %s stops everything and leaves a folder that can be read',
  async (what, ask) => {
    const { cli, folder } = startRun();
    await cli.event(what, ask);
    cli.send('SIGINT');
    const { code, out, err } = await cli.finished;
    expect([code, err.join('\n')]).toEqual([130, 'Interrupted.']);
    expect(processesNaming(folder)).toEqual([]);
    const events = out.flatMap((line) => decodeEvent(line) ?? []);
    // On a chain that ends nobody stays for what it owes there, nor has to be killed.
    expect(events.filter((event) => event.type === 'alert' && event.code === 'worker.owes')).toEqual([]);
    const isKilled = (event: StampedEvent) =>
      event.type === 'process.exited' && event.process.startsWith('worker_') && event.signal === 'SIGKILL';
    expect(events.filter(isKilled)).toEqual([]);
    const summary = JSON.parse(out.at(-1) ?? '') as RunSummary;
    expect(summary.outcome).toBe('interrupted');
    expect(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'))).toEqual(summary);
    expect(readJournal(join(folder, 'journal.jsonl')).at(-1)).toMatchObject({ type: 'run.ended' });
  },
);

test('a Ctrl-C that npm passes on a second time is one Ctrl-C', async () => {
  const { cli, folder } = startRun();
  await cli.event('the chain', (event) => event.type === 'process.started' && event.process === 'anvil');
  cli.send('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 20)); // two at the same instant would be one to the kernel
  cli.send('SIGINT');
  expect((await cli.finished).code).toBe(130);
  expect(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'))).toMatchObject({
    outcome: 'interrupted',
  });
});

test('SIGTERM ends with 143, and a second signal ends at once with no child left', async () => {
  const { cli, folder } = startRun();
  await cli.event('a task', ({ type }) => type === 'task.solving');
  cli.send('SIGTERM');
  await cli.event('a process that has left', ({ type }) => type === 'process.exited');
  cli.send('SIGTERM');
  expect((await cli.finished).code).toBe(143);
  await eventually('the leash has taken the children', () => processesNaming(folder).length === 0);
});

test('SIGKILL of simulate leaves no anvil and no worker', async () => {
  const { cli, folder } = startRun();
  const anvil = await cli.event('anvil', (e) => e.type === 'process.ready' && e.process === 'anvil');
  await cli.event('a task', ({ type }) => type === 'task.solving');
  expect(processesNaming(folder).length).toBeGreaterThanOrEqual(7);
  cli.send('SIGKILL');
  await cli.finished;
  await eventually('the leash has taken the children', () => processesNaming(folder).length === 0);
  const port = anvil.type === 'process.ready' ? Number(new URL(anvil.url ?? '').port) : 0;
  expect(await isPortFree(port)).toBe(true);
  expect(readJournal(join(folder, 'journal.jsonl')).length).toBeGreaterThan(10);
});

test('a killed SOT and a killed master are started again, a dead worker is told, and the run goes through', async () => {
  const folder = join(temporaryFolder(), 'run');
  const cli = startCli(['simulate', '--preset', 'smoke', '--json', '--run-dir', folder]);
  const kill = async (name: string) => {
    const started = await cli.event(name, (e) => e.type === 'process.started' && e.process === name);
    if (started.type === 'process.started') process.kill(started.pid, 'SIGKILL');
  };
  const told = (sentence: string) =>
    cli.event(sentence, (e) => e.type === 'alert' && e.message.includes(sentence));
  await kill('worker_1');
  await told('worker_1 ended by SIGKILL. The run goes on with 3 of 4 workers.');
  await cli.event('a task', ({ type }) => type === 'task.solving');
  for (const name of ['sot', 'master']) {
    await kill(name);
    await told(`Starting ${name} again`);
  }
  const { code, out } = await cli.finished;
  expect(code).toBe(0);
  expect(JSON.parse(out.at(-1) ?? '')).toMatchObject({ outcome: 'completed', rounds: 2 });
  expect(processesNaming(folder)).toEqual([]);
});
