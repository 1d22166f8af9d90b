// How a block finds the tensor and the chunk it works on.
#pragma once

#include "kernels/canon/cuda_kernels.h"
#include "kernels/canon/device.cuh"

namespace panthalia::canon::cuda {

/** The tensor that chunk number `chunk` of all chunks belongs to. */
__device__ __forceinline__ int tensor_of(const Slots& slots, int64_t chunk) {
  int low = 0, high = slots.count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (slots.slots[middle].first_chunk <= chunk) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/** Elements [begin, begin + count) of the arena. */
struct Range {
  int64_t begin;
  int count;
};

__device__ __forceinline__ Range chunk_range(const Slot& slot, int64_t chunk, int64_t chunk_length) {
  const int64_t first = (chunk - slot.first_chunk) * chunk_length;
  const int64_t left = slot.length - first;
  return {slot.offset + first, static_cast<int>(left < chunk_length ? left : chunk_length)};
}

}  // namespace panthalia::canon::cuda
