// Element by element: embedding, GELU, and copies in another form.
#include <type_traits>

#include "kernels/canon/launch.h"
#include "kernels/torch/cuda_element.cuh"

namespace panthalia::torch_cuda {
namespace {

using canon::cuda::blocks_of;
using canon::cuda::launch;

constexpr int threads = 256;

__device__ __forceinline__ int64_t thread_index() {
  return static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
}

template <int Count>
__global__ void __launch_bounds__(threads) round_kernel(const float* values, int64_t packs, Bf16* rounded) {
  const int64_t at = thread_index();
  if (at >= packs) return;
  float part[Count];
  load(values + at * Count, part);
  store(rounded + at * Count, part);
}

template <int Count>
__global__ void __launch_bounds__(threads) embedding_kernel(const int64_t* tokens, int64_t rows, int64_t time,
                                                            int64_t row_packs, const float* token_table,
                                                            const float* position_table, float* out) {
  const int64_t at = thread_index();
  if (at >= rows * row_packs) return;
  const int64_t row = at / row_packs, pack = at % row_packs;
  float token[Count], position[Count];
  load(token_table + (tokens[row] * row_packs + pack) * Count, token);
  load(position_table + (row % time * row_packs + pack) * Count, position);
#pragma unroll
  for (int i = 0; i < Count; ++i) token[i] += position[i];
  store(out + at * Count, token);
}

template <int Count>
__device__ __forceinline__ void add_to(float* total, const float (&values)[Count]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  if constexpr (Count == 4) {
    atomicAdd(reinterpret_cast<float4*>(total), make_float4(values[0], values[1], values[2], values[3]));
  } else
#endif
  {
#pragma unroll
    for (int i = 0; i < Count; ++i) atomicAdd(total + i, values[i]);
  }
}

template <int Count, typename Element>
__global__ void __launch_bounds__(threads) token_gradient_kernel(const int64_t* tokens, int64_t rows, int64_t row_packs,
                                                                 StreamGradient<Element> d_out,
                                                                 float* token_gradient) {
  const int64_t at = thread_index();
  if (at >= rows * row_packs) return;
  float values[Count];
  load(d_out, at * Count, values);
  add_to(token_gradient + (tokens[at / row_packs] * row_packs + at % row_packs) * Count, values);
}

template <typename Element>
__global__ void __launch_bounds__(threads) position_gradient_kernel(int64_t batch, int64_t position_floats,
                                                                    StreamGradient<Element> d_out,
                                                                    float* position_gradient) {
  const int64_t at = thread_index();
  if (at >= position_floats) return;
  float sum = 0;
#pragma unroll 8
  for (int64_t b = 0; b < batch; ++b) {
    float value[1];
    load(d_out, b * position_floats + at, value);
    sum += value[0];
  }
  position_gradient[at] = sum;
}

/** What a GELU's two passes need of it: the factor of x, and the derivative. */
struct GeluParts {
  float factor;
  float slope;
};

/** x Phi(x). For bf16 by Abramowitz and Stegun 7.1.26: its error of 1.5e-7 is far below a rounding, and the exponential is
 *  that of the density. */
template <bool Exact>
__device__ __forceinline__ GeluParts erf_parts(float x) {
  const float density = 0.3989422804014327f * power_of_two(-0.7213475204444817f * x * x);  // exp(-x^2 / 2) / sqrt(2 pi)
  if constexpr (Exact) {
    const float distribution = 0.5f * (1.0f + erff(x * 0.7071067811865476f));
    return {distribution, fmaf(x, density, distribution)};
  } else {
    const float t = __fdividef(1.0f, fmaf(0.3275911f * 0.7071067811865476f, fabsf(x), 1.0f));
    float polynomial = fmaf(1.061405429f, t, -1.453152027f);
    polynomial = fmaf(polynomial, t, 1.421413741f);
    polynomial = fmaf(polynomial, t, -0.284496736f);
    polynomial = fmaf(polynomial, t, 0.254829592f) * t;
    const float tail = polynomial * density * 1.2533141373155001f;  // half of 1 - erf(|x| / sqrt 2)
    const float distribution = x < 0 ? tail : 1.0f - tail;
    return {distribution, fmaf(x, density, distribution)};
  }
}

__device__ __forceinline__ GeluParts tanh_parts(float x) {
  constexpr float root = 0.7978845608028654f, cubic = 0.044715f;
  const float square = x * x;
  const float tangent = tanhf(root * x * fmaf(cubic, square, 1.0f));
  const float factor = 0.5f * (1.0f + tangent);
  return {factor, fmaf(0.5f * x * (1.0f - tangent * tangent), root * fmaf(3.0f * cubic, square, 1.0f), factor)};
}

template <Gelu Kind, typename Element>
__device__ __forceinline__ GeluParts parts_of(float x) {
  if constexpr (Kind == Gelu::erf) return erf_parts<sizeof(Element) == 4>(x);
  return tanh_parts(x);
}

constexpr int gelu_rounds = 2;  // packs of a thread, so that enough loads are under way

template <typename Element, int Count, Gelu Kind>
__global__ void __launch_bounds__(threads) gelu_kernel(const Element* up, int64_t packs, Element* out) {
  const int64_t first = static_cast<int64_t>(blockIdx.x) * threads * gelu_rounds + threadIdx.x;
  float x[gelu_rounds][Count] = {};
#pragma unroll
  for (int round = 0; round < gelu_rounds; ++round) {
    const int64_t at = first + round * threads;
    if (at < packs) load(up + at * Count, x[round]);
  }
#pragma unroll
  for (int round = 0; round < gelu_rounds; ++round) {
    const int64_t at = first + round * threads;
    if (at >= packs) return;
#pragma unroll
    for (int i = 0; i < Count; ++i) x[round][i] *= parts_of<Kind, Element>(x[round][i]).factor;
    store(out + at * Count, x[round]);
  }
}

template <typename Element, int Count, Gelu Kind>
__global__ void __launch_bounds__(threads) gelu_backward_kernel(const Element* d_out, const Element* up, int64_t packs,
                                                                Element* d_up) {
  const int64_t at = thread_index();
  if (at >= packs) return;
  float x[Count], gradient[Count];
  load(up + at * Count, x);
  load(d_out + at * Count, gradient);
#pragma unroll
  for (int i = 0; i < Count; ++i) gradient[i] *= parts_of<Kind, Element>(x[i]).slope;
  store(d_up + at * Count, gradient);
}

template <typename Element, int Count>
__global__ void __launch_bounds__(threads) pack_kernel(const Element* query, const Element* key, const Element* value,
                                                       int64_t rows, int64_t row_packs, Element* packed) {
  const int64_t at = thread_index();
  if (at >= 3 * rows * row_packs) return;
  const int64_t row = at / (3 * row_packs), column = at % (3 * row_packs);
  const Element* const from = column < row_packs ? query : column < 2 * row_packs ? key : value;
  using Move = Pack<Element, Count>;
  reinterpret_cast<Move*>(packed)[at] =
      reinterpret_cast<const Move*>(from)[row * row_packs + column % row_packs];
}

__global__ void __launch_bounds__(threads) accumulate_kernel(const float* addend, float* total, int64_t length) {
  const int64_t at = thread_index();
  if (at < length) total[at] += addend[at];
}

/** function(Count) with packs of 16 bytes or, where a length or a pointer does not allow them, of one element. */
template <typename Element, typename Function>
void with_packs(bool packed, Function function) {
  if (packed) {
    function(std::integral_constant<int, 16 / sizeof(Element)>{});
  } else {
    function(std::integral_constant<int, 1>{});
  }
}

}  // namespace

void round_to_bf16(const float* values, int64_t length, Bf16* rounded, cudaStream_t stream) {
  with_packs<Bf16>(length % 8 == 0 && are_aligned(16, values, rounded), [&](auto count) {
    constexpr int Count = decltype(count)::value;
    launch(stream, blocks_of(length / Count, threads), threads, round_kernel<Count>, values, length / Count, rounded);
  });
}

void embedding(const int64_t* tokens, int64_t rows, int64_t time, int64_t width, const float* token_table,
               const float* position_table, float* out, cudaStream_t stream) {
  with_packs<float>(width % 4 == 0 && are_aligned(16, token_table, position_table, out), [&](auto count) {
    constexpr int Count = decltype(count)::value;
    launch(stream, blocks_of(rows * width / Count, threads), threads, embedding_kernel<Count>, tokens, rows, time,
           width / Count, token_table, position_table, out);
  });
}

template <typename Element>
void embedding_backward(const int64_t* tokens, int64_t rows, int64_t time, int64_t width, StreamGradient<Element> d_out,
                        float* token_gradient, float* position_gradient, cudaStream_t stream) {
  with_packs<float>(width % 4 == 0 && is_aligned(16, d_out) && are_aligned(16, token_gradient), [&](auto count) {
    constexpr int Count = decltype(count)::value;
    launch(stream, blocks_of(rows * width / Count, threads), threads, token_gradient_kernel<Count, Element>, tokens, rows,
           width / Count, d_out, token_gradient);
  });
  launch(stream, blocks_of(time * width, threads), threads, position_gradient_kernel<Element>, rows / time, time * width, d_out,
         position_gradient);
}

template <typename Element>
void gelu(const Element* up, int64_t length, Gelu kind, Element* out, cudaStream_t stream) {
  with_packs<Element>(length % (16 / sizeof(Element)) == 0 && are_aligned(16, up, out), [&](auto count) {
    constexpr int Count = decltype(count)::value;
    launch(stream, blocks_of(length / Count, threads * gelu_rounds), threads,
           kind == Gelu::erf ? gelu_kernel<Element, Count, Gelu::erf> : gelu_kernel<Element, Count, Gelu::tanh>, up,
           length / Count, out);
  });
}

template <typename Element>
void gelu_backward(const Element* d_out, const Element* up, int64_t length, Gelu kind, Element* d_up,
                   cudaStream_t stream) {
  with_packs<Element>(length % (16 / sizeof(Element)) == 0 && are_aligned(16, d_out, up, d_up), [&](auto count) {
    constexpr int Count = decltype(count)::value;
    launch(stream, blocks_of(length / Count, threads), threads,
           kind == Gelu::erf ? gelu_backward_kernel<Element, Count, Gelu::erf>
                             : gelu_backward_kernel<Element, Count, Gelu::tanh>,
           d_out, up, length / Count, d_up);
  });
}

template <typename Element>
void pack(const Element* query, const Element* key, const Element* value, int64_t rows, int64_t width, Element* packed,
          cudaStream_t stream) {
  with_packs<Element>(width % (16 / sizeof(Element)) == 0 && are_aligned(16, query, key, value, packed),
                      [&](auto count) {
    constexpr int Count = decltype(count)::value;
                        launch(stream, blocks_of(3 * rows * width / Count, threads), threads,
                               pack_kernel<Element, Count>, query, key, value, rows, width / Count, packed);
                      });
}

void accumulate(const float* addend, float* total, int64_t length, cudaStream_t stream) {
  launch(stream, blocks_of(length, threads), threads, accumulate_kernel, addend, total, length);
}

#define PANTHALIA_INSTANTIATE(Element)                                                                               \
  template void embedding_backward(const int64_t*, int64_t, int64_t, int64_t, StreamGradient<Element>, float*,       \
                                   float*, cudaStream_t);                                                            \
  template void gelu(const Element*, int64_t, Gelu, Element*, cudaStream_t);                                         \
  template void gelu_backward(const Element*, const Element*, int64_t, Gelu, Element*, cudaStream_t);                \
  template void pack(const Element*, const Element*, const Element*, int64_t, int64_t, Element*, cudaStream_t);
PANTHALIA_INSTANTIATE(float)
PANTHALIA_INSTANTIATE(Bf16)

}  // namespace panthalia::torch_cuda
