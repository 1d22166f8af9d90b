/** What a command that gives one answer prints with --json: one line, the same envelope as an error. */
import { encodeJson } from '../events/line.js';

export function result(data: unknown, exitCode = 0): string {
  return encodeJson({ schema: 'panthalia-result/1', success: exitCode === 0, exitCode, data });
}
