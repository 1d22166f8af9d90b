/** Waits that end by themselves. */

/** Aborts with the first of `signals`, or after `ms` with a TimeoutError. In place of AbortSignal.any with AbortSignal.timeout: nothing holds a
 *  timeout that only another signal depends on, so Node 20 collects it as garbage, and its time never comes.
 *  To be disposed of when what it guards is done: until then it listens. */
export function within(ms: number, ...signals: readonly AbortSignal[]): Disposable & { signal: AbortSignal } {
  const end = new AbortController();
  const done = new AbortController();
  const late = () => end.abort(new DOMException(`not within ${ms / 1000} s`, 'TimeoutError'));
  // Past its largest number setTimeout ends at once.
  const timer = setTimeout(late, Math.min(ms, 2 ** 31 - 1)).unref();
  const dispose = () => {
    clearTimeout(timer);
    done.abort();
  };
  end.signal.addEventListener('abort', dispose, { once: true });
  for (const signal of signals) {
    const stop = () => end.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: done.signal });
  }
  return { signal: end.signal, [Symbol.dispose]: dispose };
}
