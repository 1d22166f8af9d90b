// Causal attention on CUDA, forward and backward: docs/opset-canon-f32-v1.md, section 4. A block owns 64 positions of one head;
// scores exist as tiles of 64 x 64 in shared memory, and in the forward pass as one strip of 64 x T per running block.
// What is multiplied over d is turned first, channels by positions, so that all copies to shared memory are of 16 bytes.
// Every chain over d, i or j is computed by one thread, ascending.
//
// Legend: i queries, j keys, d channels of a head; s scores, p probabilities, t corrections, as in the text.
#include <cmath>

#include "kernels/canon/attention_tile.cuh"
#include "kernels/canon/launch.h"
#include "kernels/canon/math.cuh"

namespace panthalia::canon::cuda {
namespace {

struct ForwardMemory {
  TwoSlabs two;
  alignas(16) float scores[tile][pitch];
};
struct BackwardMemory {
  TwoSlabs two;
  alignas(16) float p[tile][pitch];
  alignas(16) float ds[tile][pitch];
};

__device__ __forceinline__ int least(int64_t a, int64_t b) { return static_cast<int>(a < b ? a : b); }

struct Task {
  const float* qkv;    // (N, 3C)
  const float* d_out;  // (N, C)
  float* out;          // (N, C): o; in the backward pass it is not touched
  float* d_qkv;        // (N, 3C)
  const float* turned_qkv;    // (B * h, 3, D, tiles * 64), positions from T on undefined
  const float* turned_d_out;  // (B * h, D, tiles * 64)
  float* strips;       // per block of the grid: (tiles * 64, 64), keys by queries
  float* greatest;     // (B * h * T)
  float* weights;      // (B * h * T)
  float* corrections;  // (B * h * T)
  AttentionSizes sizes;
  int64_t tiles;  // ceil(T / 64)
  float sigma;
  bool in_quads;  // of qkv and d_out

  __device__ int width() const { return static_cast<int>(sizes.heads * sizes.head_width); }
  /** Floats from the start of a matrix of `columns` columns to the head's first channel at a position. */
  __device__ int64_t at(int64_t head, int64_t position, int64_t columns) const {
    return (head / sizes.heads * sizes.time + position) * columns + head % sizes.heads * sizes.head_width;
  }
  __device__ int positions_left(int64_t first) const { return least(sizes.time - first, tile); }

  /** 64 positions of q (part 0), k or v of a head. */
  __device__ Block rows_of(int64_t head, int64_t first, int part) const {
    return {qkv + at(head, first, 3 * width()) + part * width(), 3 * width(), positions_left(first),
            static_cast<int>(sizes.head_width), in_quads};
  }
  /** The same, turned: channels by 64 positions. */
  __device__ Block turned(int64_t head, int64_t first, int part) const {
    return turned_block(turned_qkv, head * 3 + part, first);
  }
  __device__ Block turned_d_out_block(int64_t head, int64_t first) const { return turned_block(turned_d_out, head, first); }
  __device__ Block turned_block(const float* from, int64_t number, int64_t first) const {
    return {from + number * sizes.head_width * (tiles * tile) + first, static_cast<int>(tiles * tile),
            static_cast<int>(sizes.head_width), tile, true};
  }
  __device__ Block d_out_rows(int64_t head, int64_t first) const {
    return {d_out + at(head, first, width()), width(), positions_left(first), static_cast<int>(sizes.head_width), in_quads};
  }
};

/** Up to 64 channels of a block, from `first` on. */
__device__ __forceinline__ Block some_channels(Block block, int first) {
  return {block.data + first, block.stride, block.rows, least(block.columns - first, tile), block.in_quads};
}

/** Greatest, weight and probabilities of the rows of a strip, whose scores become p. Two threads take a row, each half of its 32
 *  lanes; shared: a tile. */
__device__ __forceinline__ void softmax_rows(const Task& task, int64_t head, int64_t first, float* strip,
                                             float (*shared)[pitch]) {
  static_assert(threads == 2 * tile);
  constexpr int lanes = warp_lanes / 2;
  const int row = static_cast<int>(threadIdx.x) % tile, half = static_cast<int>(threadIdx.x) / tile;
  const bool exists = row < task.positions_left(first);
  const int count = exists ? static_cast<int>(first) + row + 1 : 0, columns = static_cast<int>(first) + tile;
  float* const s = strip + row;

  float greatest = half < count ? s[half * tile] : __uint_as_float(0xff800000u);  // of nothing: -infinity
#pragma unroll 8
  for (int j = half; j < count; j += 2) greatest = s[j * tile] > greatest ? s[j * tile] : greatest;
  shared[half][row] = greatest;
  __syncthreads();
  greatest = shared[0][row] > shared[1][row] ? shared[0][row] : shared[1][row];

  float lane[lanes] = {};
  for (int begin = half * lanes; begin < count; begin += warp_lanes) {
    float scores[lanes];  // all on their way before the first is used
#pragma unroll
    for (int l = 0; l < lanes; ++l) scores[l] = begin + l < count ? s[(begin + l) * tile] : greatest;
#pragma unroll
    for (int l = 0; l < lanes; ++l) scores[l] = exp(sub(scores[l], greatest));
#pragma unroll
    for (int l = 0; l < lanes; ++l) {
      if (begin + l < count) {
        s[(begin + l) * tile] = scores[l];
        lane[l] = add(lane[l], scores[l]);
      }
    }
  }
#pragma unroll
  for (int l = 0; l < lanes; ++l) shared[2 + half * lanes + l][row] = lane[l];
  __syncthreads();
  float sums[lanes];  // the row rule's tree
#pragma unroll
  for (int l = 0; l < lanes; ++l) sums[l] = add(shared[2 + l][row], shared[2 + lanes + l][row]);
#pragma unroll
  for (int step = lanes / 2; step > 0; step /= 2) {
#pragma unroll
    for (int l = 0; l < lanes / 2; ++l) {
      if (l < step) sums[l] = add(sums[l], sums[l + step]);
    }
  }
  const float weight = div(1.0f, sums[0]);
  for (int begin = half * lanes; begin < columns; begin += warp_lanes) {  // columns is a multiple of 64
    float e[lanes];
#pragma unroll
    for (int l = 0; l < lanes; ++l) e[l] = begin + l < count ? s[(begin + l) * tile] : 0.0f;
#pragma unroll
    for (int l = 0; l < lanes; ++l) s[(begin + l) * tile] = begin + l < count ? mul(e[l], weight) : 0.0f;
  }
  if (exists && half == 0) {
    const int64_t at = head * task.sizes.time + first + row;
    task.greatest[at] = greatest;
    task.weights[at] = weight;
  }
}

struct TurnedTile {
  float values[tile][tile + 1];
};

/** to (B * h, parts, D, tiles * 64) from rows of `stride` floats, of which each part begins `width` after the one before. */
__global__ void __launch_bounds__(256) turn_kernel(const float* from, int64_t stride, AttentionSizes sizes, int64_t tiles,
                                                   int64_t channel_tiles, int64_t parts, float* to) {
  auto& [values] = shared_memory<TurnedTile>();
  const int64_t head = blockIdx.x / tiles, first = blockIdx.x % tiles * tile;
  const int64_t part = blockIdx.y / channel_tiles, first_channel = blockIdx.y % channel_tiles * tile;
  const int64_t width = sizes.heads * sizes.head_width;
  const float* const begin = from + (head / sizes.heads * sizes.time + first) * stride + part * width +
                             head % sizes.heads * sizes.head_width + first_channel;
  float* const end = to + ((head * parts + part) * sizes.head_width + first_channel) * (tiles * tile) + first;
  for (int at = static_cast<int>(threadIdx.x); at < tile * tile; at += 256) {
    const int position = at / tile, channel = at % tile;
    if (first + position < sizes.time && first_channel + channel < sizes.head_width) {
      values[position][channel] = begin[position * stride + channel];
    }
  }
  __syncthreads();
  for (int at = static_cast<int>(threadIdx.x); at < tile * tile; at += 256) {
    const int channel = at / tile, position = at % tile;
    if (first + position < sizes.time && first_channel + channel < sizes.head_width) {
      end[channel * (tiles * tile) + position] = values[position][channel];
    }
  }
}

__global__ void __launch_bounds__(threads, 4) attention_kernel(Task task) {
  auto& [two, scores] = shared_memory<ForwardMemory>();
  int buffer = 0;
  const Place place = own_place();
  float* const strip = task.strips + blockIdx.x * (task.tiles * tile * tile);
  const int64_t heads = task.sizes.batch * task.sizes.heads;
  // The longest rows first, so that no block is left alone with one at the end.
  for (int64_t item = blockIdx.x; item < heads * task.tiles; item += gridDim.x) {
    const int64_t head = item % heads, i_tile = task.tiles - 1 - item / heads, first = i_tile * tile;
    Elements elements;
    for (int64_t j_tile = 0; j_tile <= i_tile; ++j_tile) {
      inner_products(task.turned(head, first, 0), task.turned(head, j_tile * tile, 1), place, two, buffer, scores, elements);
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        float* const at = strip + (j_tile * tile + place.column + j) * tile;
#pragma unroll
        for (int i = 0; i < 8; i += 4) {
          *reinterpret_cast<float4*>(at + own_row(place, i)) =
              make_float4(mul(elements[i][j], task.sigma), mul(elements[i + 1][j], task.sigma),
                          mul(elements[i + 2][j], task.sigma), mul(elements[i + 3][j], task.sigma));
        }
      }
    }
    __syncthreads();
    softmax_rows(task, head, first, strip, scores);
    __syncthreads();
    const int columns = least(task.sizes.time, first + tile);  // J(i)
    const Block p{strip, tile, columns, tile, true};
    Block v = task.rows_of(head, 0, 2);
    v.rows = columns;
    for (int d = 0; d < task.sizes.head_width; d += tile) {
      const Block channels = some_channels(v, d);
      Target o{task.out + task.at(head, first, task.width()) + d, task.width(), task.positions_left(first), channels.columns};
      clear(elements);
      const auto fill = [&](int j, Slabs& slabs) {
        fill_from_rows(p, j, beside_a, slabs.a);
        fill_from_rows(channels, j, beside_b, slabs.b);
      };
      for_slabs(columns, two, buffer, fill, [&](int j, Slabs& slabs) {
        multiply(slabs.a, slabs.b, place, elements);
        if ((j + slab) % chain_length == 0 || j + slab >= columns) o.put(elements);
      });
    }
    __syncthreads();
  }
}

/** t_i = rowsum(fma: do_id, o_id); one warp takes a score row. */
__global__ void __launch_bounds__(threads) corrections_kernel(Task task, int64_t score_rows) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (threads / warp_lanes) + threadIdx.x / warp_lanes;
  if (row >= score_rows) return;
  const int64_t at = task.at(row / task.sizes.time, row % task.sizes.time, task.width());
  float lane = 0.0f;
  for (int64_t d = lane_index(); d < task.sizes.head_width; d += warp_lanes) {
    lane = fma(task.d_out[at + d], task.out[at + d], lane);
  }
  const float sum = lane_tree(lane);
  if (lane_index() == 0) task.corrections[row] = sum;
}

/** p and ds of the tile of queries from i and keys from j on. p goes to memory.p[i][j]; ds to memory.ds[i][j], or
 *  [j][i] where it is wanted that way. Every element outside of the causal triangle or the sequence is +0. */
template <bool keys_down>
__device__ __forceinline__ void score_gradients(const Task& task, int64_t head, int64_t i_first, int64_t j_first,
                                                Place place, BackwardMemory& memory, int& buffer) {
  const int64_t row_base = head * task.sizes.time + i_first;
  const int rows = task.positions_left(i_first);
  Elements elements;
  inner_products(task.turned(head, i_first, 0), task.turned(head, j_first, 1), place, memory.two, buffer,
                 memory.p, elements);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int row = own_row(place, i);
    const float greatest = row < rows ? task.greatest[row_base + row] : 0.0f;
    const float weight = row < rows ? task.weights[row_base + row] : 0.0f;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const bool inside = row < rows && j_first + place.column + j <= i_first + row;
      const float e = exp(sub(mul(elements[i][j], task.sigma), greatest));
      memory.p[row][place.column + j] = inside ? mul(e, weight) : 0.0f;
    }
  }
  inner_products(task.turned_d_out_block(head, i_first), task.turned(head, j_first, 2), place, memory.two, buffer,
                 memory.ds, elements);
  if constexpr (keys_down) __syncthreads();  // what others keep in ds must have been read
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int row = own_row(place, i);
    const float correction = row < rows ? task.corrections[row_base + row] : 0.0f;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int column = place.column + j;
      const bool inside = row < rows && j_first + column <= i_first + row;
      const float ds = mul(mul(memory.p[row][column], sub(elements[i][j], correction)), task.sigma);
      (keys_down ? memory.ds[column][row] : memory.ds[row][column]) = inside ? ds : 0.0f;
    }
  }
}

/** dq of 64 queries and up to 64 channels, keys ascending. */
__global__ void __launch_bounds__(threads, 3) query_gradients_kernel(Task task) {
  auto& memory = shared_memory<BackwardMemory>();
  int buffer = 0;
  const Place place = own_place();
  const int64_t heads = task.sizes.batch * task.sizes.heads;
  const int64_t head = blockIdx.x % heads, i_tile = task.tiles - 1 - blockIdx.x / heads, first = i_tile * tile;
  const int d = static_cast<int>(blockIdx.y) * tile;
  Target dq{task.d_qkv + task.at(head, first, 3 * task.width()) + d, 3 * task.width(), task.positions_left(first),
            least(task.sizes.head_width - d, tile)};
  Elements sums;
  clear(sums);
  for (int64_t j_tile = 0; j_tile <= i_tile; ++j_tile) {
    score_gradients<true>(task, head, first, j_tile * tile, place, memory, buffer);
    const Block k = some_channels(task.rows_of(head, j_tile * tile, 1), d);
    for_slabs(
        tile, memory.two, buffer, [&](int j, Slabs& slabs) { fill_from_rows(k, j, beside_b, slabs.b); },
        [&](int j, Slabs& slabs) { multiply(&memory.ds[j], slabs.b, place, sums); });
    if ((j_tile + 1) * tile % chain_length == 0 || j_tile == i_tile) dq.put(sums);
  }
}

/** dk and dv of 64 keys and up to 64 channels, queries ascending. */
__global__ void __launch_bounds__(threads, 3) key_gradients_kernel(Task task) {
  auto& memory = shared_memory<BackwardMemory>();
  int buffer = 0;
  const Place place = own_place();
  const int64_t heads = task.sizes.batch * task.sizes.heads;
  const int64_t head = blockIdx.x % heads, j_tile = blockIdx.x / heads, first = j_tile * tile;
  const int d = static_cast<int>(blockIdx.y) * tile;
  Target dk{task.d_qkv + task.at(head, first, 3 * task.width()) + task.width() + d, 3 * task.width(),
            task.positions_left(first), least(task.sizes.head_width - d, tile)};
  Target dv = dk;
  dv.data += task.width();
  Elements key_sums, value_sums;
  clear(key_sums);
  clear(value_sums);
  for (int64_t i_tile = j_tile; i_tile < task.tiles; ++i_tile) {
    score_gradients<false>(task, head, i_tile * tile, first, place, memory, buffer);
    const Block q = some_channels(task.rows_of(head, i_tile * tile, 0), d);
    const Block d_out = some_channels(task.d_out_rows(head, i_tile * tile), d);
    const auto fill = [&](int i, Slabs& slabs) {
      fill_from_rows(q, i, beside_b, slabs.a);
      fill_from_rows(d_out, i, beside_b, slabs.b);
    };
    for_slabs(tile, memory.two, buffer, fill, [&](int i, Slabs& slabs) {
      multiply(&memory.ds[i], slabs.a, place, key_sums);
      multiply(&memory.p[i], slabs.b, place, value_sums);
    });
    if ((i_tile + 1) * tile % chain_length == 0 || i_tile + 1 == task.tiles) {
      dk.put(key_sums);
      dv.put(value_sums);
    }
  }
}

bool in_quads(const float* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; }

void turn(const float* from, const AttentionSizes& sizes, int64_t parts, int64_t tiles, float* to, cudaStream_t stream) {
  const int64_t channel_tiles = (sizes.head_width + tile - 1) / tile;
  const dim3 grid(static_cast<unsigned>(sizes.batch * sizes.heads * tiles), static_cast<unsigned>(parts * channel_tiles));
  launch(stream, grid, 256, turn_kernel, from, parts * sizes.heads * sizes.head_width, sizes, tiles, channel_tiles, parts, to);
}

/** And what it needs turned. d_out: null in the forward pass */
Task make_task(const AttentionSizes& sizes, const float* qkv, const float* d_out, float* turned, cudaStream_t stream) {
  Task task{};
  task.sizes = sizes;
  task.tiles = (sizes.time + tile - 1) / tile;
  task.sigma = 1.0f / std::sqrt(static_cast<float>(sizes.head_width));
  task.qkv = qkv;
  task.d_out = d_out;
  task.in_quads = in_quads(qkv) && in_quads(d_out) && sizes.head_width % 4 == 0;
  float* const turned_d_out = turned + attention_turned_floats(sizes) / 4 * 3;
  task.turned_qkv = turned;
  task.turned_d_out = turned_d_out;
  turn(qkv, sizes, 3, task.tiles, turned, stream);
  if (d_out != nullptr) turn(d_out, sizes, 1, task.tiles, turned_d_out, stream);
  return task;
}

}  // namespace

int64_t attention_strip_floats(const AttentionSizes& sizes, int64_t blocks) {
  return blocks * tile * ((sizes.time + tile - 1) / tile * tile);
}

int64_t attention_turned_floats(const AttentionSizes& sizes) {
  return 4 * sizes.batch * sizes.heads * sizes.head_width * ((sizes.time + tile - 1) / tile * tile);
}

void attention(const float* qkv, const AttentionSizes& sizes, float* turned, float* strips, int64_t blocks, float* greatest,
               float* weights, float* out, cudaStream_t stream) {
  Task task = make_task(sizes, qkv, nullptr, turned, stream);
  task.out = out;
  task.strips = strips;
  task.greatest = greatest;
  task.weights = weights;
  launch(stream, static_cast<unsigned>(blocks), threads, attention_kernel, task);
}

void attention_backward(const float* d_out, const float* out, const float* qkv, const AttentionSizes& sizes,
                        const float* greatest, const float* weights, float* corrections, float* turned, float* d_qkv,
                        cudaStream_t stream) {
  Task task = make_task(sizes, qkv, d_out, turned, stream);
  task.out = const_cast<float*>(out);
  task.d_qkv = d_qkv;
  task.greatest = const_cast<float*>(greatest);
  task.weights = const_cast<float*>(weights);
  task.corrections = corrections;
  const int64_t score_rows = sizes.positions() * sizes.heads;
  launch(stream, blocks_of(score_rows, threads / warp_lanes), threads, corrections_kernel, task, score_rows);
  const dim3 grid(static_cast<unsigned>(sizes.batch * sizes.heads * task.tiles), blocks_of(sizes.head_width, tile));
  launch(stream, grid, threads, query_gradients_kernel, task);
  launch(stream, grid, threads, key_gradients_kernel, task);
}

}  // namespace panthalia::canon::cuda
