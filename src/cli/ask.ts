/** Questions at a terminal. Without one nothing is asked: a job that waits for an answer would wait for ever. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { PanthaliaError } from '../errors.js';

export const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;

/** The password in the file's first line, or typed twice without an echo.
 *  throws user/wallet.no_password, wallet.empty_password, wallet.typed_twice */
export async function newPassword(file: string | undefined): Promise<string> {
  const password = file === undefined ? await askSecretly('Password: ') : await firstLineOf(file);
  if (password === '') throw emptyPassword(file);
  if (file !== undefined) return password;
  if ((await askSecretly('Again: ')) === password) return password;
  throw new PanthaliaError('user', 'The two passwords differ.', {
    code: 'wallet.typed_twice',
    next: 'type it again, or pass --password-file FILE',
  });
}

/** It would encrypt the key for everybody. */
function emptyPassword(file: string | undefined): PanthaliaError {
  const where = file === undefined ? 'nothing was typed' : `the first line of ${file} is empty`;
  return new PanthaliaError('user', `A password was expected, ${where}.`, {
    code: 'wallet.empty_password',
    details: { file },
    next: 'pass --password-file FILE, with the password in its first line',
  });
}

/** throws user/wallet.no_password */
export async function knownPassword(file: string | undefined): Promise<string> {
  return file === undefined ? askSecretly('Password: ') : firstLineOf(file);
}

/** A secret that was piped in, or typed without an echo; never an argument, which everybody can see. */
export async function secretFromInput(question: string): Promise<string> {
  if (process.stdin.isTTY) return askSecretly(question);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8').trim();
}

/** false where nobody can be asked */
export async function confirm(question: string): Promise<boolean> {
  if (!isTerminal) return false;
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `, process.stderr)).trim());
}

async function askSecretly(question: string): Promise<string> {
  if (!isTerminal) {
    throw new PanthaliaError('user', 'A password is needed, and there is no terminal to ask at.', {
      code: 'wallet.no_password',
      next: 'pass --password-file FILE',
    });
  }
  process.stderr.write(question);
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await ask('', mute);
  process.stderr.write('\n');
  return answer;
}

function ask(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      lines.close();
      process.kill(process.pid, 'SIGINT');
    });
    lines.once('close', () =>
      reject(new PanthaliaError('user', 'No answer was given.', { code: 'ask.no_answer' })),
    );
    lines.question(question, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}

async function firstLineOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/)[0] ?? '';
  } catch (cause) {
    throw new PanthaliaError(
      'user',
      `The password file ${file} can not be read (${(cause as NodeJS.ErrnoException).code}).`,
      {
        code: 'wallet.no_password',
        details: { file },
        next: 'pass --password-file FILE, with the password in its first line',
        cause,
      },
    );
  }
}
