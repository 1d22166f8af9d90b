/** Every failure a user can meet. One sentence, a stable code, the values that disagreed, the next command to try. */

/** Exit codes: 0 to 7 are Foundry's table, 10 to 14 market outcomes, 128 + n signals (design, section 8). */
export const exitCodes = {
  error: 1,
  usage: 2,
  config: 3,
  build: 4,
  check: 5,
  network: 6,
  user: 7,
  reverted: 10,
  notFound: 11,
  deadline: 12,
  slashed: 13,
  declined: 14,
} as const;

export type ErrorFamily = keyof typeof exitCodes;

export interface PanthaliaErrorOptions {
  /** Stable, dotted, lower case: `sot.unreachable`, `engine.shape_mismatch`. */
  code: string;
  /** Values that explain the sentence, for `--json`; bigint becomes a decimal string. */
  details?: Record<string, unknown>;
  /** The next command or action to try, as the user would type it. */
  next?: string;
  cause?: unknown;
}

export class PanthaliaError extends Error {
  readonly family: ErrorFamily;
  readonly code: string;
  readonly details: Record<string, unknown>;
  readonly next: string | undefined;

  /** message: one sentence with expected and received values. */
  constructor(family: ErrorFamily, message: string, options: PanthaliaErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PanthaliaError';
    this.family = family;
    this.code = options.code;
    this.details = options.details ?? {};
    this.next = options.next;
  }

  get exitCode(): number {
    return exitCodes[this.family];
  }
}

/** What may be said of a URL, of an RPC or a Source of Truth: keys stand in the path, the query or the user part; host and port are
 *  enough to find the mistake. Also of what is no URL. */
export function withoutSecrets(url: string): string {
  const isWeb = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  return isWeb ? new URL(url).origin : url.replace(/^([a-z]+:\/\/)?(?:.*@)?([^/?#]*).*$/is, '$1$2');
}

/** A library's own message tells all of the request that failed, with the key in its URL: the same for every URL in it. What may end a sentence
 *  after one is kept. */
export function namingHostsOnly(text: string): string {
  const urls = /([a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]*?)([).,;:\]]*)(?=[\s"'`<>]|$)/gi;
  return text.replace(urls, (_, url: string, end: string) => withoutSecrets(url) + end);
}

/** Whether it has a part that may be a key. */
export function holdsSecrets(url: string): boolean {
  const { pathname, search, username, password } = new URL(url);
  return pathname !== '/' || search !== '' || username !== '' || password !== '';
}
