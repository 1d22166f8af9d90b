/** A file in the user's pager, which has the terminal meanwhile. */
import { spawn } from 'node:child_process';

/** null, or one sentence about a pager that did not start. Its Ctrl-C is its own. */
export async function runPager(path: string): Promise<string | null> {
  const pager = process.env.PAGER || 'less -R +G';
  const handlers = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT');
  const ignore = () => {};
  process.on('SIGINT', ignore);
  try {
    const child = spawn('/bin/sh', ['-c', `${pager} "$1"`, 'sh', path], { stdio: 'inherit' });
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(127));
      child.once('close', resolve);
    });
    return code === 127 ? `The pager ${pager} can not be started; set PAGER to another one.` : null;
  } finally {
    process.off('SIGINT', ignore);
    for (const handler of handlers) process.on('SIGINT', handler as NodeJS.SignalsListener);
  }
}
