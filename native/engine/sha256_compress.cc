#include "engine/sha256_compress.h"

#include <bit>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace panthalia {
namespace {

uint32_t load_be(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

/** source: FIPS 180-4, section 6.2 */
void compress_portable(uint32_t* state, const uint8_t* const* messages, size_t blocks) {
  const uint8_t* bytes = messages[0];
  for (; blocks > 0; --blocks, bytes += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; ++i) w[i] = load_be(bytes + 4 * i);
    for (int i = 16; i < 64; ++i) {
      const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
      const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; ++i) {
      const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + sha256_round_constants[i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1;
      d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

#if defined(__x86_64__)
bool has_sha_instructions() {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  return (ebx >> 29 & 1) != 0 && __builtin_cpu_supports("sse4.1");
}
#endif

std::vector<Sha256Compressor> available() {
  std::vector<Sha256Compressor> all{{"portable", 1, compress_portable}};
#if defined(__x86_64__)
  if (has_sha_instructions()) {
    all.push_back({"sha", 1, sha256_x86::compress_sha});
    all.push_back({"sha-pair", 2, sha256_x86::compress_sha_pair});
  }
  if (__builtin_cpu_supports("avx2")) all.push_back({"avx2", 8, sha256_x86::compress_avx2});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
    all.push_back({"avx512", 16, sha256_x86::compress_avx512});
  }
#endif
  return all;
}

}  // namespace

std::span<const Sha256Compressor> sha256_compressors() {
  static const std::vector<Sha256Compressor> all = available();
  return all;
}

const Sha256Compressor* sha256_compressor(const char* name) {
  for (const Sha256Compressor& compressor : sha256_compressors()) {
    if (std::strcmp(compressor.name, name) == 0) return &compressor;
  }
  return nullptr;
}

}  // namespace panthalia
