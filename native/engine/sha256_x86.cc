// SHA-256 with the instructions of x86: the SHA extensions, one message or two interleaved, and one message per lane of AVX2
// or AVX-512 registers. Functions here carry their own target, so that nothing else is compiled for these instructions.
#include "engine/sha256_compress.h"

#if defined(__x86_64__)

#include <immintrin.h>

// GCC's, about its own header: gcc.gnu.org/PR105593.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace panthalia::sha256_x86 {
namespace {

/** Chunks of an arena are hashed side by side, so what comes next lies as many chunks ahead, where no processor looks by itself: it
 *  stops at the end of a page. May be beyond the memory, which nothing is read from then. */
__attribute__((target("sse"))) inline void fetch_ahead(const uint8_t* message, size_t bytes) {
  _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(message) + bytes), _MM_HINT_T0);
}

/** Streams messages, interleaved: the instructions wait on each other within a message, not between two.
 *  source: Intel, "New Instructions Supporting the Secure Hash Algorithm on Intel Architecture Processors", 2013 */
template <int Streams>
__attribute__((target("sha,sse4.1"))) void compress_streams(uint32_t* states, const uint8_t* const* messages,
                                                            size_t blocks) {
  const __m128i swap_bytes = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  __m128i abef[Streams], cdgh[Streams];
  for (int s = 0; s < Streams; ++s) {
    auto word = [=](int i) { return static_cast<int>(states[i * Streams + s]); };
    abef[s] = _mm_set_epi32(word(0), word(1), word(4), word(5));
    cdgh[s] = _mm_set_epi32(word(2), word(3), word(6), word(7));
  }
  for (size_t block = 0; block < blocks; ++block) {
    __m128i abef_before[Streams], cdgh_before[Streams], w[Streams][4];
    for (int s = 0; s < Streams; ++s) {
      fetch_ahead(messages[s], 64 * block + 4096 * Streams);
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
        const auto* constants = reinterpret_cast<const __m128i*>(sha256_round_constants + 4 * i);
        const __m128i sum = _mm_add_epi32(now, _mm_loadu_si128(constants));
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
    uint32_t words[8];  // f e b a h g d c
    _mm_storeu_si128(reinterpret_cast<__m128i*>(words), abef[s]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 4), cdgh[s]);
    constexpr int places[8] = {3, 2, 7, 6, 1, 0, 5, 4};
    for (int i = 0; i < 8; ++i) states[i * Streams + s] = words[places[i]];
  }
}

}  // namespace

void compress_sha(uint32_t* states, const uint8_t* const* messages, size_t blocks) {
  compress_streams<1>(states, messages, blocks);
}

void compress_sha_pair(uint32_t* states, const uint8_t* const* messages, size_t blocks) {
  compress_streams<2>(states, messages, blocks);
}

#define PANTHALIA_INLINE PANTHALIA_TARGET __attribute__((always_inline)) static inline

#define PANTHALIA_TARGET __attribute__((target("avx2")))
namespace avx2 {
namespace {

using Words = __m256i;
constexpr int lanes = 8;

PANTHALIA_INLINE Words load(const void* bytes) { return _mm256_loadu_si256(static_cast<const __m256i*>(bytes)); }
PANTHALIA_INLINE void store(void* bytes, Words x) { _mm256_storeu_si256(static_cast<__m256i*>(bytes), x); }
PANTHALIA_INLINE Words all(uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }
PANTHALIA_INLINE Words add(Words x, Words y) { return _mm256_add_epi32(x, y); }
PANTHALIA_INLINE Words exclusive_or(Words x, Words y, Words z) {
  return _mm256_xor_si256(_mm256_xor_si256(x, y), z);
}
PANTHALIA_INLINE Words choose(Words e, Words f, Words g) {
  return _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)));
}
PANTHALIA_INLINE Words majority(Words a, Words b, Words c) {
  return _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)));
}
template <int N>
PANTHALIA_INLINE Words shift(Words x) {
  return _mm256_srli_epi32(x, N);
}
template <int N>
PANTHALIA_INLINE Words rotate(Words x) {
  return _mm256_or_si256(_mm256_srli_epi32(x, N), _mm256_slli_epi32(x, 32 - N));
}
PANTHALIA_INLINE Words swap_bytes(Words x) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order));
}

/** out[i], lane l = word i of the 8 at bytes[l] + offset */
PANTHALIA_INLINE void load_words(const uint8_t* const* bytes, size_t offset, Words* out) {
  Words r[8], t[8];
  for (int l = 0; l < 8; ++l) r[l] = swap_bytes(load(bytes[l] + offset));
  for (int l = 0; l < 8; l += 2) {
    t[l] = _mm256_unpacklo_epi32(r[l], r[l + 1]);
    t[l + 1] = _mm256_unpackhi_epi32(r[l], r[l + 1]);
  }
  for (int l = 0; l < 8; l += 4) {
    r[l] = _mm256_unpacklo_epi64(t[l], t[l + 2]);
    r[l + 1] = _mm256_unpackhi_epi64(t[l], t[l + 2]);
    r[l + 2] = _mm256_unpacklo_epi64(t[l + 1], t[l + 3]);
    r[l + 3] = _mm256_unpackhi_epi64(t[l + 1], t[l + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    out[i] = _mm256_permute2x128_si256(r[i], r[4 + i], 0x20);
    out[4 + i] = _mm256_permute2x128_si256(r[i], r[4 + i], 0x31);
  }
}

PANTHALIA_INLINE void load_block(const uint8_t* const* bytes, size_t offset, Words* w) {
  load_words(bytes, offset, w);
  load_words(bytes, offset + 32, w + 8);
}

#include "engine/sha256_lanes.inc"

}  // namespace
}  // namespace avx2

void compress_avx2(uint32_t* states, const uint8_t* const* messages, size_t blocks) {
  avx2::compress_lanes(states, messages, blocks);
}

#undef PANTHALIA_TARGET
#define PANTHALIA_TARGET __attribute__((target("avx512f,avx512bw")))
namespace avx512 {
namespace {

using Words = __m512i;
constexpr int lanes = 16;

PANTHALIA_INLINE Words load(const void* bytes) { return _mm512_loadu_si512(bytes); }
PANTHALIA_INLINE void store(void* bytes, Words x) { _mm512_storeu_si512(bytes, x); }
PANTHALIA_INLINE Words all(uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }
PANTHALIA_INLINE Words add(Words x, Words y) { return _mm512_add_epi32(x, y); }
// The constants are truth tables over the bits of the three operands.
PANTHALIA_INLINE Words exclusive_or(Words x, Words y, Words z) { return _mm512_ternarylogic_epi32(x, y, z, 0x96); }
PANTHALIA_INLINE Words choose(Words e, Words f, Words g) { return _mm512_ternarylogic_epi32(e, f, g, 0xCA); }
PANTHALIA_INLINE Words majority(Words a, Words b, Words c) { return _mm512_ternarylogic_epi32(a, b, c, 0xE8); }
template <int N>
PANTHALIA_INLINE Words shift(Words x) {
  return _mm512_srli_epi32(x, N);
}
template <int N>
PANTHALIA_INLINE Words rotate(Words x) {
  return _mm512_ror_epi32(x, N);
}
PANTHALIA_INLINE Words swap_bytes(Words x) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
  return _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(order));
}

/** w[i], lane l = word i of the block at bytes[l] + offset */
PANTHALIA_INLINE void load_block(const uint8_t* const* bytes, size_t offset, Words* w) {
  Words r[16], t[16];
#pragma GCC unroll 16
  for (int l = 0; l < 16; ++l) r[l] = swap_bytes(load(bytes[l] + offset));
  for (int l = 0; l < 16; l += 2) {
    t[l] = _mm512_unpacklo_epi32(r[l], r[l + 1]);
    t[l + 1] = _mm512_unpackhi_epi32(r[l], r[l + 1]);
  }
  for (int l = 0; l < 16; l += 4) {
    r[l] = _mm512_unpacklo_epi64(t[l], t[l + 2]);
    r[l + 1] = _mm512_unpackhi_epi64(t[l], t[l + 2]);
    r[l + 2] = _mm512_unpacklo_epi64(t[l + 1], t[l + 3]);
    r[l + 3] = _mm512_unpackhi_epi64(t[l + 1], t[l + 3]);
  }
  // Quarter q of r[4 k + i] holds word 4 q + i of messages 4 k .. 4 k + 3.
  for (int i = 0; i < 4; ++i) {
    const Words low_0 = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x44);
    const Words low_1 = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x44);
    const Words high_0 = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xEE);
    const Words high_1 = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xEE);
    w[i] = _mm512_shuffle_i32x4(low_0, low_1, 0x88);
    w[4 + i] = _mm512_shuffle_i32x4(low_0, low_1, 0xDD);
    w[8 + i] = _mm512_shuffle_i32x4(high_0, high_1, 0x88);
    w[12 + i] = _mm512_shuffle_i32x4(high_0, high_1, 0xDD);
  }
}

#include "engine/sha256_lanes.inc"

}  // namespace
}  // namespace avx512

void compress_avx512(uint32_t* states, const uint8_t* const* messages, size_t blocks) {
  avx512::compress_lanes(states, messages, blocks);
}

}  // namespace panthalia::sha256_x86

#endif
