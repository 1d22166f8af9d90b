/** The arenas of tests/fixtures/stateTree.json.  twin: native/test/hash_test.cc (fixture_value) */
export function fixtureArena(group: 0 | 1 | 2, length: number): Uint8Array {
  const values = Float32Array.from({ length }, (_, i) => (((i * 7919 + group * 104729) % 10007) - 5000) / 64);
  return new Uint8Array(values.buffer);
}
