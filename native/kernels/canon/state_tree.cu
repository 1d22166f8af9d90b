// The state tree on CUDA: SHA-256 of the chunks of arenas, and the nodes above them up to the tensor roots.
// twin: engine/state_tree.cc; the formulas stand in docs/protocol.md. Integers only.
//
// blockIdx.y: the arena. Its digests stand behind those of the arena before it.
#include <utility>

#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"
#include "kernels/canon/launch.h"
#include "kernels/canon/slots.cuh"

namespace panthalia::canon::cuda {
namespace {

constexpr int threads = 128;

/** The compiler must take it for any number: a * one + b is a sum on the pipe that multiplies, which nothing else here needs, while
 *  rotations and logic fill the other one. Of 1,346 instructions a block there it leaves about 1,040. */
__constant__ uint32_t one = 1;

__device__ __forceinline__ uint32_t sum(uint32_t a, uint32_t b) { return a * one + b; }

__device__ __forceinline__ uint32_t rotate(uint32_t value, int right) { return __funnelshift_r(value, value, right); }

/** FIPS 180-4, 4.2.2: as a part of the instruction once the loop over the rounds is unrolled. */
__device__ __forceinline__ uint32_t round_constant(int round) {
  static constexpr uint32_t constants[64] = {
#include "kernels/canon/sha256_round_constants.inc"
  };
  return constants[round];
}

__device__ __forceinline__ DeviceDigest initial_state() {
  return {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

/** One block of 16 big-endian words; `words` is used up. */
__device__ __forceinline__ void compress(DeviceDigest& state, uint32_t (&words)[16]) {
  uint32_t a = state.words[0], b = state.words[1], c = state.words[2], d = state.words[3];
  uint32_t e = state.words[4], f = state.words[5], g = state.words[6], h = state.words[7];
#pragma unroll
  for (int round = 0; round < 64; ++round) {
    uint32_t& word = words[round % 16];
    if (round >= 16) {
      const uint32_t early = words[(round + 1) % 16], late = words[(round + 14) % 16];
      word = sum(sum(word, words[(round + 9) % 16]), sum(rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3),
                                                         rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10)));
    }
    const uint32_t known = sum(sum(word, round_constant(round)), h);  // before e and a of this round are
    const uint32_t first = sum(sum((e & f) ^ (~e & g), known), rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25));
    const uint32_t second = sum((a & b) ^ (a & c) ^ (b & c), rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));
    h = g;
    g = f;
    f = e;
    e = sum(d, first);
    d = c;
    c = b;
    b = a;
    a = sum(first, second);
  }
  const uint32_t results[8] = {a, b, c, d, e, f, g, h};
#pragma unroll
  for (int i = 0; i < 8; ++i) state.words[i] += results[i];
}

/** The 16 words of a leaf's message from `value` on, which is counted from the first float; the two before it are the header. The
 *  prefix byte puts every word of the message across two of these, so the last byte of the one before goes along. */
__device__ __forceinline__ void read_words(const float* values, int value, uint32_t& before, uint32_t (&words)[16]) {
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    const uint32_t next = __float_as_uint(values[value + i]);
    words[i] = __byte_perm(before, next, 0x3456);
    before = next;
  }
}

/** The same where the header or the end is among them. */
__device__ __forceinline__ void read_end(uint32_t tensor, uint32_t chunk, const float* values, int count, int value,
                                         uint32_t& before, uint32_t (&words)[16]) {
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    const int at = value + i;
    uint32_t next = 0;
    if (at == -2) next = tensor;
    if (at == -1) next = chunk;
    if (at >= 0 && at < count) next = __float_as_uint(values[at]);
    if (at == count) next = 0x80;
    words[i] = __byte_perm(before, next, 0x3456);
    before = next;
  }
}

/** Chosen by comparisons: an index that is not known would put the three into local memory. */
__device__ __forceinline__ const float* arena_of(const Arenas& arenas) {
  return blockIdx.y == 0 ? arenas.data[0] : blockIdx.y == 1 ? arenas.data[1] : arenas.data[2];
}

/** SHA-256(0x00 | u32le tensor | u32le chunk | floats). A thread takes a chunk. */
__global__ void __launch_bounds__(threads) leaves_kernel(Slots slots, Arenas arenas, DeviceDigest* leaves) {
  const int64_t chunk = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (chunk >= slots.chunks) return;
  const int tensor = tensor_of(slots, chunk);
  const Slot& slot = slots.slots[tensor];
  const Range range = chunk_range(slot, chunk, leaf_chunk);
  const float* const values = arena_of(arenas) + range.begin;
  const auto number = static_cast<uint32_t>(chunk - slot.first_chunk);
  const int bytes = 9 + 4 * range.count;
  const int blocks = (bytes + 9 + 63) / 64;

  DeviceDigest state = initial_state();
  uint32_t before = 0;  // its last byte is the prefix 0x00
  for (int block = 0; block < blocks; ++block) {
    const int value = block * 16 - 2;
    uint32_t words[16];
    if (value >= 0 && value + 16 <= range.count) {
      read_words(values, value, before, words);
    } else {
      read_end(static_cast<uint32_t>(tensor), number, values, range.count, value, before, words);
    }
    if (block + 1 == blocks) words[15] = static_cast<uint32_t>(bytes) * 8;
    compress(state, words);
  }
  leaves[blockIdx.y * slots.chunks + chunk] = state;
}

/** SHA-256(0x01 | left | right) */
__device__ DeviceDigest node(const DeviceDigest& left, const DeviceDigest& right) {
  DeviceDigest state = initial_state();
  uint32_t words[16];
  uint32_t before = 1;
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    const uint32_t next = i < 8 ? left.words[i] : right.words[i - 8];
    words[i] = before << 24 | next >> 8;
    before = next;
  }
  compress(state, words);
  words[0] = before << 24 | 0x00800000;
#pragma unroll
  for (int i = 1; i < 15; ++i) words[i] = 0;
  words[15] = 65 * 8;
  compress(state, words);
  return state;
}

/** One level of every tensor's tree; a digest without a neighbour goes up as it is. Level l of a tensor of n chunks has
 *  ceil(n / 2^l) digests, which stand where its leaves stood. */
__global__ void __launch_bounds__(threads) level_kernel(Slots slots, int level, const DeviceDigest* below,
                                                        DeviceDigest* above) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
  if (at >= slots.chunks) return;
  const int tensor = tensor_of(slots, at);
  const int64_t first = slots.slots[tensor].first_chunk;
  const int64_t leaves = (slots.slots[tensor].length + leaf_chunk - 1) / leaf_chunk;
  const int64_t count = (leaves + (int64_t{1} << level) - 1) >> level;
  const int64_t left = 2 * (at - first);
  if (left >= count) return;
  const int64_t own = blockIdx.y * slots.chunks;
  const DeviceDigest* const pair = below + own + first + left;
  above[own + at] = left + 1 < count ? node(pair[0], pair[1]) : pair[0];
}

__global__ void __launch_bounds__(threads) gather_kernel(Slots slots, const DeviceDigest* digests, DeviceDigest* roots) {
  const int tensor = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (tensor >= slots.count) return;
  roots[static_cast<int>(blockIdx.y) * slots.count + tensor] = digests[blockIdx.y * slots.chunks + slots.slots[tensor].first_chunk];
}

}  // namespace

void tensor_roots(const Slots& slots, int64_t most_chunks, const Arenas& arenas, DeviceDigest* digests,
                  DeviceDigest* roots, cudaStream_t stream) {
  const auto side_by_side = static_cast<unsigned>(arenas.count);
  const dim3 grid(blocks_of(slots.chunks, threads), side_by_side);
  launch(stream, grid, threads, leaves_kernel, slots, arenas, digests);
  DeviceDigest *below = digests, *above = digests + arenas.count * slots.chunks;
  for (int level = 0; (most_chunks - 1) >> level > 0; ++level, std::swap(below, above)) {
    launch(stream, grid, threads, level_kernel, slots, level, below, above);
  }
  launch(stream, dim3(blocks_of(slots.count, threads), side_by_side), threads, gather_kernel, slots, below, roots);
}

}  // namespace panthalia::canon::cuda
