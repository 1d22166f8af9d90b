// The kernels of canon-f32-v1 as one table per instruction set. A kernel does the part of an operator that its caller
// names, [begin, end), and owns what it writes there; it allocates nothing. Legend: engine/operators.h.
#pragma once

#include <cstdint>

#include "engine/adamw.h"

namespace panthalia::canon {

/** Rows of one chunk of the column rule. */
constexpr int64_t column_chunk = 64;
/** Elements of one chunk of a tensor's square sum. */
constexpr int64_t square_chunk = 4096;
/** Terms of one chunk of the GEMM rule. */
constexpr int64_t chain_chunk = 1024;
/** Queries of one block of attention. */
constexpr int64_t query_block = 64;

struct LayerNormCall {
  const float* x;     // (N, C)
  const float* gain;  // (C)
  float* out;         // (N, C)
  float* mean;        // (N)
  float* reciprocal_deviation;  // (N)
  int64_t columns;    // C
};

struct LayerNormBackwardCall {
  const float* d_out;                 // (N, C)
  const float* x;                     // (N, C)
  const float* gain;                  // (C)
  const float* mean;                  // (N)
  const float* reciprocal_deviation;  // (N)
  float* d_x;                         // (N, C), added to
  float* gain_partials;               // (chunks, C)
  int64_t rows;                       // N
  int64_t columns;                    // C
};

struct EmbeddingCall {
  const int64_t* tokens;        // (N)
  const float* token_table;     // (V, C)
  const float* position_table;  // (block size, C)
  float* out;                   // (N, C)
  int64_t time;                 // T
  int64_t columns;              // C
};

struct EmbeddingBackwardCall {
  const int64_t* tokens;     // (N)
  const float* d_out;        // (N, C)
  float* token_gradient;     // (V, C), added to
  float* position_gradient;  // (block size, C), the first T rows written
  int64_t rows;              // N
  int64_t time;              // T
  int64_t columns;           // C
};

struct CrossEntropyCall {
  float* logits;           // (N, V)
  const int64_t* targets;  // (N)
  float* row_sums;         // (N)
  float* losses;           // (N)
  int64_t columns;         // V
};

struct AttentionCall {
  const float* qkv;    // (N, 3C)
  float* out;          // (N, C)
  float* saved;        // (B, h, 2, T): m and then w of each head
  int64_t batch;       // B
  int64_t time;        // T
  int64_t heads;       // h
  int64_t head_width;  // D
};

struct AttentionBackwardCall {
  const float* d_out;  // (N, C)
  const float* out;    // (N, C)
  const float* qkv;    // (N, 3C)
  const float* saved;  // what attention saved
  float* d_qkv;        // (N, 3C), written
  int64_t batch;       // B
  int64_t time;        // T
  int64_t heads;       // h
  int64_t head_width;  // D
};

/** C (M, N) = A B, over K, and how A and B lie in memory: `n` as it is named, `t` transposed.
 *  nt: A (M, K), B stored (N, K)        nn: A (M, K), B stored (K, N)        tn: A stored (K, M), B stored (K, N) */
enum class GemmLayout { nt, nn, tn };

/** What becomes of the product. residual: out = other + product;  gelu_*: up = product, out = gelu(product);
 *  gelu_*_backward: out = product * gelu'(other) */
enum class Epilogue { none, residual, gelu_erf, gelu_tanh, gelu_erf_backward, gelu_tanh_backward };

struct GemmCall {
  GemmLayout layout;
  int64_t m;
  int64_t n;
  int64_t k;
  const float* a;
  const float* b;
  Epilogue epilogue = Epilogue::none;
  const float* other = nullptr;  // (M, N), where the epilogue has one
  float* out;                    // (M, N), shares memory with none of the others
  float* up = nullptr;           // (M, N), where the epilogue has one
};

/** A rectangle of C. */
struct GemmPiece {
  int64_t row;
  int64_t rows;
  int64_t column;
  int64_t columns;
};

struct GemmKernel {
  /** The tile of C that is kept in registers: pieces of other sizes are correct and waste what they do not fill. */
  int64_t tile_rows;
  int64_t tile_columns;
  /** Of a piece, so that what it reads stays in a cache. */
  int64_t most_rows;
  /** Floats of scratch that a piece of so many rows and columns needs. */
  int64_t (*scratch)(GemmLayout layout, int64_t rows, int64_t columns, int64_t k);
  void (*piece)(const GemmCall& call, const GemmPiece& piece, float* scratch);
};

enum class Elementary { exp, log, erf, tanh };

struct Kernels {
  void (*embedding)(const EmbeddingCall& call, int64_t begin, int64_t end);                          // rows
  void (*embedding_backward_tokens)(const EmbeddingBackwardCall& call, int64_t begin, int64_t end);  // columns
  void (*embedding_backward_positions)(const EmbeddingBackwardCall& call, int64_t begin, int64_t end);  // positions

  void (*layer_norm)(const LayerNormCall& call, int64_t begin, int64_t end);                   // rows
  void (*layer_norm_backward)(const LayerNormBackwardCall& call, int64_t begin, int64_t end);  // chunks of rows
  /** total[c] = partials[0][c] + partials[1][c] + ... */
  void (*column_total)(const float* partials, int64_t chunks, int64_t columns, float* total, int64_t begin,
                       int64_t end);

  void (*gelu_erf)(const float* x, float* out, int64_t n);
  void (*gelu_tanh)(const float* x, float* out, int64_t n);
  void (*gelu_erf_backward)(const float* d_out, const float* x, float* d_x, int64_t n);
  void (*gelu_tanh_backward)(const float* d_out, const float* x, float* d_x, int64_t n);

  GemmKernel gemm;

  void (*cross_entropy)(const CrossEntropyCall& call, int64_t begin, int64_t end);                        // rows
  void (*cross_entropy_backward)(const CrossEntropyCall& call, float share, int64_t begin, int64_t end);  // rows

  /** Floats of scratch that one thread needs for either direction of attention. */
  int64_t (*attention_scratch)(int64_t time, int64_t head_width);
  void (*attention)(const AttentionCall& call, float* scratch, int64_t begin, int64_t end);  // query blocks of one head
  void (*attention_backward)(const AttentionBackwardCall& call, float* scratch, int64_t begin, int64_t end);  // heads

  float (*row_sum)(const float* x, int64_t n);
  /** rowsum(fma: x_i, x_i) */
  float (*square_sum)(const float* x, int64_t n);
  void (*accumulate)(const float* addend, float* total, int64_t n);
  /** returns whether every parameter, m and v is finite */
  bool (*adamw)(const AdamwSlices& slices, const InnerConstants& constants, const StepScalars& scalars, float decay,
                float gradient_scale);
  bool (*all_finite)(const float* x, int64_t n);

  /** For the tests and the conformance sweeps. */
  void (*elementary)(Elementary function, const float* x, float* out, int64_t n);
};

}  // namespace panthalia::canon
