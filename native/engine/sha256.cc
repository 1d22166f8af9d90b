#include "engine/sha256.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "engine/sha256_compress.h"

namespace panthalia {
namespace {

constexpr size_t block_bytes = 64;
constexpr uint32_t initial_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void store_be(uint8_t* bytes, uint32_t value) {
  const uint8_t big[4] = {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
                          static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
  std::memcpy(bytes, big, sizeof big);
}

/** Which compressor takes how many messages. */
struct Choice {
  const Sha256Compressor* single;
  const Sha256Compressor* narrow;
  const Sha256Compressor* wide;
  /** From how many messages on `wide` with empty lanes is faster than `narrow`: bench/RESULTS.md, state hash. */
  size_t least_for_wide;
};

/** Seconds a message of a chunk's length: AVX-512 and the SHA extensions beat each other by up to a half, on one processor this way, on
 *  the next that way, and the digests are the same. */
double seconds_of(const Sha256Compressor& compressor) {
  static constexpr uint8_t chunk[4096] = {};
  const uint8_t* messages[Sha256Compressor::most_lanes];
  std::fill_n(messages, compressor.lanes, chunk);
  uint32_t states[8 * Sha256Compressor::most_lanes] = {};
  double best = 1;
  for (int run = 0; run < 5; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    compressor.compress(states, messages, sizeof chunk / block_bytes);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    best = std::min(best, elapsed.count() / compressor.lanes);
  }
  return best;
}

Choice choose() {
  const Sha256Compressor* portable = &sha256_compressors().front();
  const Sha256Compressor* sha = sha256_compressor("sha");
  const Sha256Compressor* avx512 = sha256_compressor("avx512");
  const Sha256Compressor* avx2 = sha256_compressor("avx2");
  const Sha256Compressor* narrow = sha ? sha256_compressor("sha-pair") : portable;
  const Choice choice{sha ? sha : portable, narrow, narrow, 0};
  if (avx512 && !sha) return {choice.single, narrow, avx512, 2};
  if (avx512 && seconds_of(*avx512) < seconds_of(*narrow)) return {choice.single, narrow, avx512, 10};
  if (avx2 && !sha) return {choice.single, narrow, avx2, 3};
  return choice;
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

/** Writes the last one or two blocks of a message of `total` bytes whose last `size` bytes are `tail`; returns how many. */
size_t pad(const uint8_t* tail, size_t size, uint64_t total, uint8_t (&blocks)[2 * block_bytes]) {
  const size_t count = size + 9 <= block_bytes ? 1 : 2;
  std::memset(blocks, 0, sizeof blocks);
  std::memcpy(blocks, tail, size);
  blocks[size] = 0x80;
  store_be(blocks + block_bytes * count - 8, static_cast<uint32_t>(total >> 29));
  store_be(blocks + block_bytes * count - 4, static_cast<uint32_t>(total << 3));
  return count;
}

/** Word w of the digest is state[w * stride]. */
Digest to_digest(const uint32_t* state, int stride) {
  Digest digest;
  for (int w = 0; w < 8; ++w) store_be(digest.data() + 4 * w, state[w * stride]);
  return digest;
}

void compress_one(uint32_t* state, const uint8_t* bytes, size_t blocks) {
  choice().single->compress(state, &bytes, blocks);
}

/** As many messages as the compressor has lanes, or fewer: the other lanes repeat the first. Only the edges of a message, what
 *  shares a block with prefix or padding, are copied. */
void digest_lanes(const Sha256Compressor& compressor, std::span<const PrefixedMessage> messages, size_t prefix_size,
                  size_t body_size, Digest* digests) {
  constexpr int most = Sha256Compressor::most_lanes;
  const size_t head = std::min(body_size, block_bytes - prefix_size);  // bytes of the body in the first block
  const bool is_head_full = prefix_size + head == block_bytes;
  const size_t whole = (body_size - head) / block_bytes;
  const size_t rest = (body_size - head) % block_bytes;

  uint8_t heads[most][block_bytes], tails[most][2 * block_bytes];
  const uint8_t *first[most], *middle[most], *last[most];
  size_t tail_blocks = 0;
  for (int lane = 0; lane < compressor.lanes; ++lane) {
    const PrefixedMessage& message = messages[static_cast<size_t>(lane) < messages.size() ? lane : 0];
    const auto* body = static_cast<const uint8_t*>(message.body);
    std::memcpy(heads[lane], message.prefix.data(), PrefixedMessage::most_prefix);
    std::memcpy(heads[lane] + prefix_size, body, head);
    first[lane] = heads[lane];
    middle[lane] = body + head;
    last[lane] = tails[lane];
    const uint8_t* tail = is_head_full ? body + head + whole * block_bytes : heads[lane];
    tail_blocks = pad(tail, is_head_full ? rest : prefix_size + head, prefix_size + body_size, tails[lane]);
  }

  uint32_t states[8 * most];
  for (int w = 0; w < 8; ++w) std::fill_n(states + w * compressor.lanes, compressor.lanes, initial_state[w]);
  if (is_head_full) compressor.compress(states, first, 1);
  if (whole > 0) compressor.compress(states, middle, whole);
  compressor.compress(states, last, tail_blocks);
  for (size_t i = 0; i < messages.size(); ++i) digests[i] = to_digest(states + i, compressor.lanes);
}

}  // namespace

Sha256::Sha256() { std::memcpy(state_, initial_state, sizeof state_); }

void Sha256::update(const void* bytes, size_t size) {
  const auto* next = static_cast<const uint8_t*>(bytes);
  total_ += size;
  if (filled_ > 0) {
    const size_t taken = std::min(size, sizeof block_ - filled_);
    std::memcpy(block_ + filled_, next, taken);
    filled_ += taken, next += taken, size -= taken;
    if (filled_ < sizeof block_) return;
    compress_one(state_, block_, 1);
    filled_ = 0;
  }
  compress_one(state_, next, size / block_bytes);
  filled_ = size % block_bytes;
  if (filled_ > 0) std::memcpy(block_, next + size - filled_, filled_);
}

Digest Sha256::finish() {
  uint8_t blocks[2 * block_bytes];
  const size_t count = pad(block_, filled_, total_, blocks);
  compress_one(state_, blocks, count);
  return to_digest(state_, 1);
}

void sha256_many(std::span<const PrefixedMessage> messages, size_t prefix_size, size_t body_size, Digest* digests) {
  const auto& [single, narrow, wide, least_for_wide] = choice();
  while (!messages.empty()) {
    const Sha256Compressor& compressor = messages.size() >= least_for_wide ? *wide : *narrow;
    const size_t count = std::min(messages.size(), static_cast<size_t>(compressor.lanes));
    digest_lanes(compressor, messages.first(count), prefix_size, body_size, digests);
    messages = messages.subspan(count);
    digests += count;
  }
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
