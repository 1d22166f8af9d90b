// The operators of canon-f32-v1 as launches on a stream: docs/opset-canon-f32-v1.md in CUDA. Pointers are device memory; no
// call waits for the device or allocates. What a launch is split into (tiles, chunks, blocks) changes no bit.
//
// Legend: B batch, T time, C channels, V vocabulary, N = B * T rows, h heads, D = C / h.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace panthalia::canon::cuda {

/** Element (row, k) of one side of a product: data[row * stride + k] where k is contiguous, else data[k * stride + row]. */
struct Operand {
  const float* data;
  int64_t stride;
  bool k_contiguous;
};

/** out[i][j] = gemm(k; a(i, k), b(j, k)), or residual[i][j] + that where there is a residual.
 *  out, residual (rows, columns), dense; out is neither a, b nor the residual */
struct Product {
  Operand a;  // rows i
  Operand b;  // rows j
  float* out;
  int64_t rows;
  int64_t columns;
  int64_t depth;
  const float* residual = nullptr;
};

/** Memory for the chains of products whose chunks are taken side by side, and the device's number of processors. */
struct ProductResources {
  float* chains;
  int64_t floats;
  int processors;
};

/** 0 lets the launch choose. The tests choose. */
struct Tiling {
  int block_rows = 0;           // 96 or 64
  int chunks_side_by_side = 0;  // at most as many as fit into the resources
};

void product(const Product& product, const ProductResources& resources, cudaStream_t stream, Tiling tiling = {});

struct AttentionSizes {
  int64_t batch;
  int64_t time;
  int64_t heads;
  int64_t head_width;
  int64_t positions() const { return batch * time; }
};

/** Floats of strips (the scores of 64 positions) that `blocks` blocks need. */
int64_t attention_strip_floats(const AttentionSizes& sizes, int64_t blocks);
/** Floats of q, k, v and the gradient of o with their positions side by side: scratch of both passes. */
int64_t attention_turned_floats(const AttentionSizes& sizes);
/** qkv (N, 3C), out (N, C), greatest and weights (B * h * T): m_i and w_i of each score row */
void attention(const float* qkv, const AttentionSizes& sizes, float* turned, float* strips, int64_t blocks, float* greatest,
               float* weights, float* out, cudaStream_t stream);
/** d_qkv (N, 3C) is written; corrections (B * h * T): scratch for t_i */
void attention_backward(const float* d_out, const float* out, const float* qkv, const AttentionSizes& sizes,
                        const float* greatest, const float* weights, float* corrections, float* turned, float* d_qkv,
                        cudaStream_t stream);

void layer_norm(const float* x, const float* gain, int64_t rows, int64_t width, float* out, float* mean,
                float* reciprocal_deviation, cudaStream_t stream);
/** d_x is added to; chunk_sums: scratch of ceil(rows / 64) * width */
void layer_norm_backward(const float* d_out, const float* x, const float* gain, const float* mean,
                         const float* reciprocal_deviation, int64_t rows, int64_t width, float* d_x,
                         float* gain_gradient, float* chunk_sums, cudaStream_t stream);

void embedding(const int64_t* tokens, int64_t rows, int64_t time, int64_t width, const float* token_table,
               const float* position_table, float* out, cudaStream_t stream);

/** The rows of each token that occurs: rows[starts[i]] .. rows[starts[i + 1] - 1], ascending, hold token tokens[i]. */
struct Occurrences {
  const int32_t* tokens;
  const int32_t* starts;
  const int32_t* rows;
  int64_t distinct;
};
void embedding_backward(const Occurrences& occurrences, const float* d_out, int64_t batch, int64_t time,
                        int64_t block_size, int64_t width, float* token_gradient, float* position_gradient,
                        cudaStream_t stream);

/** greatest, row_sums, losses (N): m, s and the loss of each row */
void cross_entropy(const float* logits, const int64_t* targets, int64_t rows, int64_t vocabulary, float* greatest,
                   float* row_sums, float* losses, float* loss, cudaStream_t stream);
/** logits become their gradient */
void cross_entropy_backward(float* logits, const int64_t* targets, int64_t rows, int64_t vocabulary,
                            const float* greatest, const float* row_sums, float share, cudaStream_t stream);

enum class GeluKind { erf, tanh };
void gelu(const float* x, int64_t length, GeluKind kind, float* out, cudaStream_t stream);
/** d_x may be d_out */
void gelu_backward(const float* d_out, const float* x, int64_t length, GeluKind kind, float* d_x, cudaStream_t stream);

/** total = total + addend */
void accumulate(const float* addend, float* total, int64_t length, cudaStream_t stream);

/** The tensors of an arena on the device, cut into chunks of one size: a block finds its tensor by its chunk. */
struct Slot {
  int64_t offset;       // floats
  int64_t length;       // floats
  int64_t first_chunk;  // chunks of the tensors before
  int32_t decayed;      // whether weight decay applies
};
struct Slots {
  const Slot* slots;
  int32_t count;
  int64_t chunks;  // of all tensors
};
constexpr int64_t norm_chunk = 4096;
constexpr int64_t leaf_chunk = 1024;

/** norm: sqrt of the square sums; chunk_sums (slots.chunks), tensor_sums (slots.count): scratch.  slots: of norm_chunk */
void gradient_norm(const Slots& slots, const float* gradients, float* chunk_sums, float* tensor_sums, float* norm,
                   cudaStream_t stream);

struct AdamwConstants {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon;
  float step_size, second_moment_scale, decay, gradient_scale;
};
/** first_bad becomes the least tensor left with NaN or Inf where that is less than what it holds.  slots: of norm_chunk */
void adamw(const Slots& slots, const AdamwConstants& constants, const float* gradients, float* theta, float* m, float* v,
           int32_t* first_bad, cudaStream_t stream);

/** *bad becomes 1 where a value is NaN or Inf, else stays. */
void find_non_finite(const float* values, int64_t length, int32_t* bad, cudaStream_t stream);

/** SHA-256 digests as eight big-endian words. */
struct DeviceDigest {
  uint32_t words[8];
};
/** Arenas laid out alike, whose trees are made at once. */
constexpr int most_arenas = 3;
struct Arenas {
  const float* data[most_arenas];
  int count;
};
/** roots (arenas.count, slots.count): of each tensor; digests (2, arenas.count, slots.chunks): scratch; most_chunks: of the longest
 *  tensor.  slots: of leaf_chunk */
void tensor_roots(const Slots& slots, int64_t most_chunks, const Arenas& arenas, DeviceDigest* digests,
                  DeviceDigest* roots, cudaStream_t stream);

}  // namespace panthalia::canon::cuda
