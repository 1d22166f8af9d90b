// The GEMM rule on CUDA: which kernel takes a product, in which tiles, and what becomes of its chunks of 1,024 k. A block adds
// them one after the other, or several blocks take them side by side and they are added afterwards, ascending.
#include <algorithm>

#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/gemm_any.cuh"
#include "kernels/canon/gemm_quads.cuh"
#include "kernels/canon/launch.h"

namespace panthalia::canon::cuda {
namespace {

/** Adds `count` chains, ascending, to what out holds of the chunks before them. */
__global__ void __launch_bounds__(256) add_chains_kernel(Work work, int64_t count, bool last) {
  const Product& product = work.product;
  const int64_t length = product.rows * product.columns;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x;
  if (at >= length) return;
  float value = work.chains[at];
  if (work.first_chunk > 0) value = add(product.out[at], value);
  for (int64_t i = 1; i < count; ++i) value = add(value, work.chains[i * length + at]);
  if (last && product.residual != nullptr) value = add(product.residual[at], value);
  product.out[at] = value;
}

bool in_quads(const void* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; }

bool in_quads(const Operand& operand, int64_t rows) {
  return operand.stride % 4 == 0 && in_quads(operand.data) && (operand.k_contiguous || rows % 4 == 0);
}

bool in_quads(const Product& product) {
  return in_quads(product.a, product.rows) && in_quads(product.b, product.columns) && product.depth % slab == 0 &&
         product.columns % 4 == 0 && in_quads(product.out) && in_quads(product.residual);
}

using Kernel = void (*)(Work);

template <typename TileShape>
Kernel quads_kernel_for(const Product& product) {
  if (!product.a.k_contiguous) return quads_kernel<TileShape, false, false>;
  return product.b.k_contiguous ? quads_kernel<TileShape, true, true> : quads_kernel<TileShape, true, false>;
}

struct Choice {
  Kernel kernel;
  int64_t rows;  // of its tile
  int64_t columns;
  int threads;
};

template <typename TileShape>
Choice quads_choice(const Product& product) {
  return {quads_kernel_for<TileShape>(product), TileShape::rows, TileShape::columns, TileShape::threads};
}

int64_t ceil_of(int64_t length, int64_t size) { return (length + size - 1) / size; }

int64_t tiles_of(const Choice& choice, const Product& product) {
  return ceil_of(product.rows, choice.rows) * ceil_of(product.columns, choice.columns);
}

/** Multiply-adds that the busiest processor has time for while a launch for each `side_by_side` chunks runs. Two tiles of 96 rows
 *  share a processor, and one that is alone there leaves it idle now and then. What travels through device memory counts. */
double cost_of(const Choice& choice, const Product& product, int64_t side_by_side, int processors) {
  const int64_t chunks = ceil_of(product.depth, chain_length);
  const int64_t turns = ceil_of(tiles_of(choice, product) * side_by_side, processors);
  const double alone = choice.rows > 64 && turns % 2 == 1 ? 0.4 : 0.0;
  const bool mixed = product.a.k_contiguous && !product.b.k_contiguous;
  const double slower = mixed == (choice.rows > 64) ? 1.03 : 1.0;  // as measured on an H200
  const double chunk = static_cast<double>(choice.rows * choice.columns * std::min<int64_t>(product.depth, chain_length));
  const double launches = static_cast<double>(ceil_of(chunks, side_by_side));
  const double travel = side_by_side > 1 ? 0.5 * static_cast<double>(product.rows * product.columns * chunks) : 0.0;
  return launches * (static_cast<double>(turns) + alone) * slower * chunk + travel;
}

/** A way to take a product: tiles, and how many chunks side by side. */
struct Plan {
  const Choice* choice;
  int64_t side_by_side;
};

/** The cheapest of `choices`, of which there is one at least. */
Plan cheapest(const Choice* choices, const Choice* end, const Product& product, const ProductResources& resources,
              int64_t wanted) {
  const int64_t fitting = resources.floats / std::max<int64_t>(1, product.rows * product.columns);
  const int64_t most = std::clamp<int64_t>(std::min(ceil_of(product.depth, chain_length), fitting), 1, 65535);
  const int64_t first = wanted > 0 ? std::min(wanted, most) : 1, last = wanted > 0 ? first : most;
  Plan best{choices, first};
  double least = cost_of(*choices, product, first, resources.processors);
  for (const Choice* choice = choices; choice != end; ++choice) {
    for (int64_t side_by_side = first; side_by_side <= last; ++side_by_side) {
      const double cost = cost_of(*choice, product, side_by_side, resources.processors);
      if (cost >= least) continue;
      least = cost;
      best = {choice, side_by_side};
    }
  }
  return best;
}

void start(const Choice& choice, const Product& product, const ProductResources& resources, int64_t side_by_side,
           cudaStream_t stream) {
  Work work{product, ceil_of(product.rows, choice.rows), ceil_of(product.columns, choice.columns), 0, nullptr};
  const auto blocks = static_cast<unsigned>(work.row_tiles * work.column_tiles);
  const auto threads = static_cast<unsigned>(choice.threads);
  const int64_t chunks = ceil_of(product.depth, chain_length);
  if (side_by_side < 2) {
    launch(stream, blocks, threads, choice.kernel, work);
    return;
  }
  work.chains = resources.chains;
  for (; work.first_chunk < chunks; work.first_chunk += side_by_side) {
    const int64_t count = std::min(side_by_side, chunks - work.first_chunk);
    launch(stream, dim3(blocks, 1, static_cast<unsigned>(count)), threads, choice.kernel, work);
    launch(stream, blocks_of(product.rows * product.columns, 256), 256, add_chains_kernel, work, count,
           work.first_chunk + count == chunks);
  }
}

}  // namespace

void product(const Product& product, const ProductResources& resources, cudaStream_t stream, Tiling tiling) {
  const Choice any{any_kernel, AnyTile::rows, AnyTile::columns, AnyTile::threads};
  const Choice quads[] = {quads_choice<Tile<12>>(product), quads_choice<Tile<8>>(product)};
  const Choice* begin = in_quads(product) ? quads : &any;
  const Choice* end = begin == &any ? begin + 1 : std::end(quads);
  if (tiling.block_rows > 0 && begin == quads) {
    while (begin + 1 != end && begin->rows != tiling.block_rows) ++begin;
    end = begin + 1;
  }
  const Plan plan = cheapest(begin, end, product, resources, tiling.chunks_side_by_side);
  start(*plan.choice, product, resources, plan.side_by_side, stream);
}

}  // namespace panthalia::canon::cuda
