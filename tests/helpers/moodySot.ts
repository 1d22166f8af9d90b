/** A server in front of a Source of Truth that refuses what it likes, and passes on the rest. */
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface MoodySot extends AsyncDisposable {
  url: string;
}

/** refuses: the status to refuse a request with, or never to be done with it; undefined passes it on
 *  says: 'page' as a proxy that knows nothing of our codes */
export async function startMoodySot(
  sotUrl: string,
  refuses: (method: string, path: string) => number | 'never' | undefined,
  says: 'code' | 'page' = 'code',
): Promise<MoodySot> {
  const { hostname, port } = new URL(sotUrl);
  const server = createServer((incoming, answer) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const status = refuses(method, path);
    if (status === 'never') {
      answer.writeHead(200, { 'content-length': 1000 }).write('a');
      return;
    }
    if (status !== undefined) {
      incoming.resume();
      const type = says === 'code' ? 'application/json' : 'text/html';
      answer.writeHead(status, { 'content-type': type, connection: 'close' });
      const reason = JSON.stringify({ code: 'auth.not_allowed', message: 'not for you' });
      answer.end(says === 'code' ? reason : '<h1>Forbidden</h1>');
      return;
    }
    const passedOn = ask({ hostname, port, method, path, headers }, (theirs) => {
      answer.writeHead(theirs.statusCode ?? 500, theirs.headers);
      theirs.pipe(answer);
    });
    passedOn.on('error', () => answer.destroy());
    answer.on('close', () => passedOn.destroy());
    incoming.pipe(passedOn);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
