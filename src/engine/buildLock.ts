/** One builder per project at a time. The lock is an abstract Unix socket: the kernel frees it when its holder dies, so there
 *  is nothing stale to clean up, and those who wait learn of its end without polling. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Runs work while nobody else on this machine does so under the same name.  throws signal.reason when aborted */
export async function withBuildLock<Result>(
  name: string,
  options: { signal?: AbortSignal | undefined; onWait: () => void },
  work: () => Promise<Result>,
): Promise<Result> {
  const address = `\0panthalia-build-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const waiting = new Set<Socket>();
  let lock = await listen(address, waiting);
  if (!lock) options.onWait();
  while (!lock) {
    await holderGone(address, options.signal);
    lock = await listen(address, waiting);
  }
  try {
    return await work();
  } finally {
    for (const socket of waiting) socket.destroy();
    lock.close();
  }
}

async function listen(address: string, waiting: Set<Socket>): Promise<Server | null> {
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on('error', () => socket.destroy()); // the one who waited is gone
    socket.once('close', () => waiting.delete(socket));
  });
  server.unref();
  server.listen(address);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
}

async function holderGone(address: string, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const socket = connect(address);
  const onAbort = () => socket.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await new Promise<void>((resolve) => {
      socket.once('error', () => {}); // refused: the holder ended between our two calls
      socket.once('close', () => resolve());
    });
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
