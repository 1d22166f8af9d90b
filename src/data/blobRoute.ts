/** What the server of blobs answers: one method of one path. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  /** the target as it stood in the request line: what was signed */
  target: string;
  query: URLSearchParams;
}

export interface Route {
  method: string;
  path: RegExp;
  answer: (call: Call, match: string[]) => Promise<void>;
}
