// What opset `torch` does on CUDA beside products and attention, as launches on a stream. Pointers are device memory; no call
// waits for the device or allocates. Element: what activations are kept in, float or bf16; the residual stream, parameters and
// their gradients are fp32 always, as PyTorch's autocast keeps them. Arithmetic is fp32.
//
// Legend: B batch, T time, C channels, V vocabulary, N = B * T rows.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "engine/adamw.h"
#include "engine/model.h"
#include "kernels/canon/cuda_kernels.h"

namespace panthalia::torch_cuda {

using Bf16 = __nv_bfloat16;

/** The gradient of the residual stream. Beside bf16 it is the sum of two of them, 16 bits of mantissa: the products read the
 *  high one as it lies, and the norms move two thirds of the bytes that fp32 and a rounded copy would take. */
template <typename Element>
struct StreamGradient {
  float* values;
  StreamGradient(float* data, int64_t) : values(data) {}
};
template <>
struct StreamGradient<Bf16> {
  Bf16* high;
  Bf16* low;
  StreamGradient(float* data, int64_t elements) : high(reinterpret_cast<Bf16*>(data)), low(high + elements) {}
};

void round_to_bf16(const float* values, int64_t length, Bf16* rounded, cudaStream_t stream);

void embedding(const int64_t* tokens, int64_t rows, int64_t time, int64_t width, const float* token_table,
               const float* position_table, float* out, cudaStream_t stream);
/** token_gradient is added to, in no fixed order; position_gradient is written up to row `time` */
template <typename Element>
void embedding_backward(const int64_t* tokens, int64_t rows, int64_t time, int64_t width, StreamGradient<Element> d_out,
                        float* token_gradient, float* position_gradient, cudaStream_t stream);

/** Whether the layer norms take rows of this width. */
bool is_norm_width(int64_t width);
template <typename Element>
void layer_norm(const float* x, const float* gain, int64_t rows, int64_t width, Element* out, float* mean,
                float* reciprocal_deviation, cudaStream_t stream);

/** Memory for the gain's gradient: a row of `width` floats for each of the `blocks` that the kernel runs in. */
struct NormPartials {
  float* data;
  int64_t blocks;
};
/** d_x is added to */
template <typename Element>
void layer_norm_backward(const Element* d_out, const float* x, const float* gain, const float* mean,
                         const float* reciprocal_deviation, int64_t rows, int64_t width, StreamGradient<Element> d_x,
                         float* gain_gradient, NormPartials partials, cudaStream_t stream);

template <typename Element>
void gelu(const Element* up, int64_t length, Gelu kind, Element* out, cudaStream_t stream);
/** d_up may be d_out */
template <typename Element>
void gelu_backward(const Element* d_out, const Element* up, int64_t length, Gelu kind, Element* d_up,
                   cudaStream_t stream);

/** packed (N, 3C) from three of (N, C) */
template <typename Element>
void pack(const Element* query, const Element* key, const Element* value, int64_t rows, int64_t width, Element* packed,
          cudaStream_t stream);

/** logits (N, V) become softmax - one_hot(target); losses (N): scratch; loss: their mean */
template <typename Element>
void cross_entropy(Element* logits, const int64_t* targets, int64_t rows, int64_t vocabulary, float* losses, float* loss,
                   cudaStream_t stream);

/** total += addend */
void accumulate(const float* addend, float* total, int64_t length, cudaStream_t stream);

constexpr int64_t norm_blocks = 1024;
/** norm: L2.  sums (norm_blocks): scratch */
void norm(const float* values, int64_t length, double* sums, float* norm, cudaStream_t stream);

constexpr int64_t chunk_length = 4096;

/** One pass: the new parameters are also left in `rounded`, where there is one. first_bad becomes the least tensor left with
 *  NaN or Inf where that is less than what it holds.  slots: of chunk_length; source: engine/adamw.h */
void adamw(const canon::cuda::Slots& slots, const AdamwArenas& arenas, Bf16* rounded, const InnerConstants& constants,
           const StepScalars& scalars, float gradient_scale, int32_t* first_bad, cudaStream_t stream);

/** *bad becomes 1 where a value is NaN or Inf, else stays. */
template <typename Element>
void find_non_finite(const Element* values, int64_t length, int32_t* bad, cudaStream_t stream);

}  // namespace panthalia::torch_cuda
