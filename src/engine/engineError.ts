/** Native errors become ours, once: `SHAPE_MISMATCH` -> `engine.shape_mismatch`, with the native sentence unchanged. */
import { PanthaliaError } from '../errors.js';

export function engineError(error: unknown): PanthaliaError {
  if (error instanceof PanthaliaError) return error;
  const native = error as { message?: string; code?: string };
  const noCuda = native.code === 'NO_CUDA';
  return new PanthaliaError(noCuda ? 'config' : 'error', native.message ?? String(error), {
    code: `engine.${(native.code ?? 'failed').toLowerCase()}`,
    ...(noCuda ? { next: 'pass --device cpu; CUDA in README.md says what --device cuda needs' } : {}),
    cause: error,
  });
}
