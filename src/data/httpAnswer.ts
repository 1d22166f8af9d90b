/** Answers and errors of the Source of Truth as HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PanthaliaError } from '../errors.js';

const statusByCode: Record<string, number> = {
  'auth.unsigned': 401,
  'auth.malformed': 401,
  'auth.expired': 401,
  'auth.future': 401,
  'auth.bad_signature': 401,
  'auth.replayed': 401,
  'auth.not_allowed': 403,
  'auth.nonces_full': 429,
  'http.malformed': 400,
  'http.not_found': 404,
  'http.method': 405,
  'http.length_required': 411,
  'http.too_large': 413,
  'http.range': 416,
  'http.busy': 429,
  'blob.bad_id': 404,
  'sot.blob_not_found': 404,
  'sot.version_not_found': 404,
  'upload.malformed': 400,
  'upload.too_large': 413,
  'upload.budget': 413,
  'upload.not_found': 404,
  'upload.part_not_found': 404,
  'upload.wrong_digest': 422,
  'upload.wrong_part': 422,
  'upload.wrong_blob': 422,
  'upload.incomplete': 409,
  'storage.disk_full': 507,
};

/** A refusal that only HTTP knows. */
export function httpError(
  code: string,
  message: string,
  details: Record<string, unknown> = {},
): PanthaliaError {
  return new PanthaliaError('network', message, { code, details });
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body);
}

/** {code, message, details}. An error without a status of its own is ours: 500, and it is told to whoever runs the server. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  onError: (error: unknown) => void,
): void {
  const known = error instanceof PanthaliaError ? error : undefined;
  const status = (known && statusByCode[known.code]) ?? 500;
  if (status >= 500) onError(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const headers: Record<string, string> = {};
  if (status === 429) headers['retry-after'] = '1';
  // A body that was refused for its size is not read to its end.
  if ((status === 413 || status === 411) && !request.complete) headers.connection = 'close';
  const { code, message, details } =
    status === 500 || !known
      ? { code: 'sot.internal', message: 'The Source of Truth failed; its log says why.', details: {} }
      : known;
  sendJson(response, status, { code, message, details }, headers);
  if (headers.connection) response.once('finish', () => request.destroy());
}
