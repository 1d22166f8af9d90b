/** What a check of `doctor` came to. */
export interface Finding {
  name: string;
  /** skipped: not needed, or nothing to look at */
  state: 'ok' | 'failed' | 'skipped';
  /** a version, a path, or what is wrong */
  detail: string;
  /** for a failed one: how to mend it */
  next?: string;
}
