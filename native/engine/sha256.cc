#include "engine/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace panthalia {
namespace {

alignas(16) constexpr uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t initial_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

uint32_t load_be(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

void store_be(uint8_t* bytes, uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

#if defined(__x86_64__)

bool has_sha_instructions() {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  return (ebx >> 29 & 1) != 0 && __builtin_cpu_supports("sse4.1");
}

/** Compresses `blocks` blocks of each of Streams messages, interleaved.
 *  source: Intel, "New Instructions Supporting the Secure Hash Algorithm on Intel Architecture Processors", 2013 */
template <int Streams>
__attribute__((target("sha,sse4.1"))) void compress_sha(uint32_t* const (&states)[Streams],
                                                        const uint8_t* const (&messages)[Streams], size_t blocks) {
  const __m128i swap_bytes = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  __m128i abef[Streams], cdgh[Streams];
  for (int s = 0; s < Streams; ++s) {
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(states[s])), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(states[s] + 4)), 0x1B);
    abef[s] = _mm_alignr_epi8(badc, hgfe, 8);
    cdgh[s] = _mm_blend_epi16(hgfe, badc, 0xF0);
  }
  for (size_t block = 0; block < blocks; ++block) {
    __m128i abef_before[Streams], cdgh_before[Streams], w[Streams][4];
    for (int s = 0; s < Streams; ++s) {
      abef_before[s] = abef[s];
      cdgh_before[s] = cdgh[s];
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
#pragma GCC unroll 2
      for (int s = 0; s < Streams; ++s) {
        __m128i& now = w[s][i % 4];
        if (i < 4) {
          const auto* words = reinterpret_cast<const __m128i*>(messages[s] + 64 * block) + i;
          now = _mm_shuffle_epi8(_mm_loadu_si128(words), swap_bytes);
        } else {
          const __m128i before = w[s][(i + 3) % 4];
          const __m128i shifted = _mm_alignr_epi8(before, w[s][(i + 2) % 4], 4);
          now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(now, w[s][(i + 1) % 4]), shifted), before);
        }
        const auto* constants = reinterpret_cast<const __m128i*>(round_constants + 4 * i);
        const __m128i sum = _mm_add_epi32(now, _mm_load_si128(constants));
        cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], sum);
        abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32(sum, 0x0E));
      }
    }
    for (int s = 0; s < Streams; ++s) {
      abef[s] = _mm_add_epi32(abef[s], abef_before[s]);
      cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_before[s]);
    }
  }
  for (int s = 0; s < Streams; ++s) {
    const __m128i feba = _mm_shuffle_epi32(abef[s], 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[s], 0xB1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(states[s]), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(states[s] + 4), _mm_alignr_epi8(dchg, feba, 8));
  }
}

const bool sha_instructions = has_sha_instructions();

#endif

void compress_pair(uint32_t* first, uint32_t* second, const uint8_t* first_bytes, const uint8_t* second_bytes,
                   size_t blocks) {
#if defined(__x86_64__)
  if (sha_instructions) return compress_sha<2>({first, second}, {first_bytes, second_bytes}, blocks);
#endif
  sha256_compress_portable(first, first_bytes, blocks);
  sha256_compress_portable(second, second_bytes, blocks);
}

/** Writes the last one or two blocks of a message of `total` bytes whose last `size` bytes are `tail`; returns how many. */
size_t pad(const uint8_t* tail, size_t size, uint64_t total, uint8_t (&blocks)[128]) {
  const size_t count = size + 9 <= 64 ? 1 : 2;
  std::memset(blocks, 0, sizeof blocks);
  std::memcpy(blocks, tail, size);
  blocks[size] = 0x80;
  store_be(blocks + 64 * count - 8, static_cast<uint32_t>(total >> 29));
  store_be(blocks + 64 * count - 4, static_cast<uint32_t>(total << 3));
  return count;
}

Digest to_digest(const uint32_t* state) {
  Digest digest;
  for (int i = 0; i < 8; ++i) store_be(digest.data() + 4 * i, state[i]);
  return digest;
}

}  // namespace

void sha256_compress_portable(uint32_t* state, const uint8_t* bytes, size_t blocks) {
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
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1;
      d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

void sha256_compress(uint32_t* state, const uint8_t* bytes, size_t blocks) {
#if defined(__x86_64__)
  if (sha_instructions) return compress_sha<1>({state}, {bytes}, blocks);
#endif
  sha256_compress_portable(state, bytes, blocks);
}

Sha256::Sha256() { std::memcpy(state_, initial_state, sizeof state_); }

void Sha256::update(const void* bytes, size_t size) {
  const auto* next = static_cast<const uint8_t*>(bytes);
  total_ += size;
  if (filled_ > 0) {
    const size_t taken = std::min(size, sizeof block_ - filled_);
    std::memcpy(block_ + filled_, next, taken);
    filled_ += taken, next += taken, size -= taken;
    if (filled_ < sizeof block_) return;
    sha256_compress(state_, block_, 1);
    filled_ = 0;
  }
  sha256_compress(state_, next, size / 64);
  filled_ = size % 64;
  if (filled_ > 0) std::memcpy(block_, next + size - filled_, filled_);
}

Digest Sha256::finish() {
  uint8_t blocks[128];
  const size_t count = pad(block_, filled_, total_, blocks);
  sha256_compress(state_, blocks, count);
  return to_digest(state_);
}

void sha256_pair(const uint8_t* first, const uint8_t* second, size_t size, Digest& first_digest,
                 Digest& second_digest) {
  uint32_t states[2][8];
  std::memcpy(states[0], initial_state, sizeof initial_state);
  std::memcpy(states[1], initial_state, sizeof initial_state);
  compress_pair(states[0], states[1], first, second, size / 64);
  const size_t whole = size / 64 * 64;
  uint8_t tails[2][128];
  pad(first + whole, size - whole, size, tails[0]);
  const size_t count = pad(second + whole, size - whole, size, tails[1]);
  compress_pair(states[0], states[1], tails[0], tails[1], count);
  first_digest = to_digest(states[0]);
  second_digest = to_digest(states[1]);
}

std::array<uint8_t, 4> u32le(uint32_t value) {
  return {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value >> 16),
          static_cast<uint8_t>(value >> 24)};
}

std::string to_hex(const Digest& digest) {
  constexpr char digits[] = "0123456789abcdef";
  std::string hex = "0x";
  for (uint8_t byte : digest) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace panthalia
