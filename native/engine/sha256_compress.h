// The compression function of SHA-256 in every form that this processor can run. All give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace panthalia {

constexpr uint32_t sha256_round_constants[64] = {
#include "kernels/canon/sha256_round_constants.inc"
};

/** Advances `lanes` messages at once. */
struct Sha256Compressor {
  static constexpr int most_lanes = 16;

  const char* name;
  int lanes;
  /** states: word w of message l at [w * lanes + l]; messages: where the next `blocks` blocks of each begin */
  void (*compress)(uint32_t* states, const uint8_t* const* messages, size_t blocks);
};

/** What this processor and its operating system can run: portable, sha, sha-pair, avx2, avx512. The first is always there. */
std::span<const Sha256Compressor> sha256_compressors();

/** By its name; null where the processor lacks the instructions. */
const Sha256Compressor* sha256_compressor(const char* name);

#if defined(__x86_64__)
namespace sha256_x86 {

void compress_sha(uint32_t* states, const uint8_t* const* messages, size_t blocks);
void compress_sha_pair(uint32_t* states, const uint8_t* const* messages, size_t blocks);
void compress_avx2(uint32_t* states, const uint8_t* const* messages, size_t blocks);
void compress_avx512(uint32_t* states, const uint8_t* const* messages, size_t blocks);

}  // namespace sha256_x86
#endif

}  // namespace panthalia
