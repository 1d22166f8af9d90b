/** Raw signed requests, for what a well-behaved client never sends. */
import { request } from 'node:http';
import { type SignRequest, sha256Hex } from '../../src/protocol/requestAuth.js';

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** of an error */
  code: string | undefined;
}

/** node:http, because fetch normalises paths and headers. Chunked when `headers` ask for it. */
export function send(
  url: string,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<RawAnswer> {
  const { headers = {}, body } = options;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const length = body && !headers['transfer-encoding'] ? { 'content-length': String(body.length) } : {};
    const outgoing = request(
      { hostname, port, method, path, headers: { ...length, ...headers } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const content = Buffer.concat(chunks);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: content,
            code: errorCode(content),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function errorCode(body: Buffer): string | undefined {
  try {
    return JSON.parse(body.toString('utf8')).code;
  } catch {
    return undefined;
  }
}

/** A signed write. */
export async function sendSigned(
  url: string,
  sign: SignRequest,
  method: string,
  path: string,
  body: Uint8Array = new Uint8Array(),
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const signed = await sign({ method, path, bodyHash: sha256Hex(body) });
  return send(url, method, path, { headers: { ...signed, ...headers }, body });
}
