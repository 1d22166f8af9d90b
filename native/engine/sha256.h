// SHA-256 (FIPS 180-4), with the processor's SHA instructions where it has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace panthalia {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  void update(const void* bytes, size_t size);
  /** The object can not be used again. */
  Digest finish();

 private:
  uint32_t state_[8];
  uint8_t block_[64];
  size_t filled_ = 0;
  uint64_t total_ = 0;
};

/** Digests of two messages of one length at the cost of little more than one: the instructions wait on each other within a
 *  message, not between two. */
void sha256_pair(const uint8_t* first, const uint8_t* second, size_t size, Digest& first_digest,
                 Digest& second_digest);

/** One message's state through `blocks` blocks of 64 bytes: with the processor's instructions, and without. Here for the
 *  tests, which compare the two. */
void sha256_compress(uint32_t* state, const uint8_t* bytes, size_t blocks);
void sha256_compress_portable(uint32_t* state, const uint8_t* bytes, size_t blocks);

std::array<uint8_t, 4> u32le(uint32_t value);

/** 0x and lower-case hex. */
std::string to_hex(const Digest& digest);

}  // namespace panthalia
