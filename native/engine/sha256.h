// SHA-256 (FIPS 180-4), with the fastest instructions that the processor has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
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

/** A few bytes, then many that stay where they are. */
struct PrefixedMessage {
  static constexpr size_t most_prefix = 12;

  std::array<uint8_t, most_prefix> prefix;
  const void* body;
};

/** digests[i] = SHA-256(the first prefix_size bytes of messages[i].prefix | body_size bytes at messages[i].body). Messages of
 *  one length go up to sixteen at a time through the processor, several times as fast as one by one.
 *  digests[i] may overlap the bodies of messages 0 to i: a level of a tree may replace the one below it */
void sha256_many(std::span<const PrefixedMessage> messages, size_t prefix_size, size_t body_size, Digest* digests);

std::array<uint8_t, 4> u32le(uint32_t value);

/** 0x and lower-case hex. */
std::string to_hex(const Digest& digest);

}  // namespace panthalia
