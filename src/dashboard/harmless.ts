/** What may be drawn of a text from elsewhere: no escape sequence, no control character, nothing that reorders the line. */
export function harmless(text: string): string {
  return text.replace(/\t/g, '  ').replace(escapes, '').replace(controls, '');
}

/** CSI, OSC (ended by BEL or ST), and two-character escapes: ECMA-48, 5.3 and 5.4 */
const escapes =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -~])|\x9b[0-?]*[ -/]*[@-~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const controls = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
