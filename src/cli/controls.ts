/** What the keys of a dashboard do to a run, through its folder. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { errorIn, ownEnvironment, program } from '../actions/crew.js';
import type { RunFolder } from '../actions/runFolder.js';
import type { Controls } from '../dashboard/effects.js';

/** For people who are asked whether they want to spend it. */
export const disputeCosts = [
  'It is re-executed first, and nothing is spent if it is right.',
  'If it is wrong, account 9 of the development mnemonic pays the fee of a panel (three verifiers, 30 PAN',
  'with the rules of simulate). Upheld, it comes back with a bounty from the stake of the solver; lost, it is gone.',
];

export function controlsFor(folder: RunFolder): Pick<Controls, 'save' | 'dispute' | 'logPath'> {
  return {
    save: async () => {
      const { saveModel } = await import('../actions/saveModel.js');
      return `Saved ${relative('.', await saveModel(folder))}.`;
    },
    dispute: (taskId) => disputeInChild(folder, taskId),
    logPath: (name) => logPathOf(folder, name),
  };
}

export function logPathOf(folder: RunFolder, name: string): string | null {
  const path = folder.log(name);
  return existsSync(path) ? path : null;
}

/** As somebody at another terminal would, and in a process of its own, because it loads an engine. */
async function disputeInChild(folder: RunFolder, taskId: string): Promise<string> {
  const { opset } = JSON.parse(readFileSync(folder.manifest, 'utf8')) as { opset: string };
  const args = ['dispute', taskId, '--deployment', folder.deployment, '--opset', opset, '--json'];
  const child = spawn(process.execPath, [program, ...args], {
    env: ownEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) last = line;
  const error = errorIn(last);
  if (error !== null) return error.message;
  const { data } = JSON.parse(last) as { data: { verdict: string; feePaid: string; received: string } };
  return `The panel ruled ${data.verdict}: ${data.feePaid} paid, ${data.received} received.`;
}
