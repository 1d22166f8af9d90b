#include "kernels/torch/torch_operators.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <tuple>

#include "kernels/torch/bf16.h"
#include "kernels/torch/torch_parallel.h"

namespace panthalia {

using canon::Epilogue;
using canon::GemmCall;
using canon::GemmLayout;

namespace {

/** Floats of one piece of a tensor: a few pages, so that threads share any arena evenly. */
constexpr int64_t piece_length = 1 << 16;
constexpr int64_t cache_line = 16;  // floats

class TorchScope final : public OperatorScope {
  c10::InferenceMode inference_mode_;  // no autograd bookkeeping
};

/** libtorch's own threads, as many as the scope in force says. */
class IntraOp final : public Parallel {
  void run(int64_t pieces, PieceFunction function) override {
    at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) function(piece);
    });
  }
};

int64_t length_of(ConstVector values) { return static_cast<int64_t>(values.size()); }

// at:: has no const tensors; factors are only ever read.
at::Tensor view(ConstMatrix matrix) {
  return at::from_blob(const_cast<float*>(matrix.data), {matrix.rows, matrix.cols}, at::kFloat);
}

Matrix product_of(const GemmCall& call) { return {call.up != nullptr ? call.up : call.out, call.m, call.n}; }

at::Tensor oriented(const at::Tensor& tensor, bool transposed) { return transposed ? tensor.t() : tensor; }

}  // namespace

TorchOperators::TorchOperators(int threads, const canon::Kernels& kernels, bool rounds)
    : kernels_(kernels), agreement_(threads), rounds_(rounds) {}

void TorchOperators::plan(const ModelShape& shape, BatchShape batch) {
  gelu_ = shape.gelu;
  const Layout layout(shape);
  state_tree_.emplace(layout);
  pieces_.clear();
  for (size_t tensor = 0; tensor < layout.tensors().size(); ++tensor) {
    const TensorSlot& slot = layout.tensors()[tensor];
    for (int64_t at = 0; at < slot.length; at += piece_length) {
      pieces_.push_back({tensor, slot.offset + at, std::min(piece_length, slot.length - at)});
    }
  }
  const int64_t N = batch.count(), C = shape.width;
  scratch_stride_ = in_lines(kernels_.attention_scratch(batch.tokens, shape.head_width()));
  scratch_ = Arena(std::max({scratch_stride_ * threads(), N, static_cast<int64_t>(pieces_.size()),
                             divided_up(N, canon::column_chunk) * C}));
  int64_t most = 0;
  for (const GemmCall& call : products_of(shape, N)) most = std::max(most, factor_floats(call));
  if (most > 0) factors_ = Arena(most);
}

int64_t TorchOperators::attention_saved(AttentionShape shape) const {
  return 2 * shape.batch * shape.heads * shape.time;
}

std::unique_ptr<OperatorScope> TorchOperators::enter() {
  at::set_num_threads(agreement_.threads);
  return std::make_unique<TorchScope>();
}

void TorchOperators::embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                               Matrix out) {
  const canon::EmbeddingCall call{tokens.data(), token_table.data, position_table.data, out.data, time, out.cols};
  share_rows(out.rows, out.cols, [&](int64_t begin, int64_t end) { kernels_.embedding(call, begin, end); });
}

void TorchOperators::embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                        Matrix position_gradient) {
  const canon::EmbeddingBackwardCall call{
      tokens.data(), d_out.data, token_gradient.data, position_gradient.data, d_out.rows, time, d_out.cols};
  std::fill(position_gradient.data + time * d_out.cols,
            position_gradient.data + position_gradient.rows * position_gradient.cols, 0.0f);
  at::parallel_for(0, d_out.cols, 4 * cache_line, [&](int64_t begin, int64_t end) {
    kernels_.embedding_backward_tokens(call, begin, end);
  });
  share_rows(time, d_out.rows / time * d_out.cols,
             [&](int64_t begin, int64_t end) { kernels_.embedding_backward_positions(call, begin, end); });
}

void TorchOperators::layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) {
  const canon::LayerNormCall call{
      x.data, gain.data(), out.data, statistics.mean.data(), statistics.reciprocal_deviation.data(), x.cols};
  share_rows(x.rows, x.cols, [&](int64_t begin, int64_t end) { kernels_.layer_norm(call, begin, end); });
}

void TorchOperators::layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain,
                                         NormStatistics statistics, Matrix d_x, Vector gain_gradient) {
  float* partials = scratch_.data();
  const canon::LayerNormBackwardCall call{d_out.data,
                                          x.data,
                                          gain.data(),
                                          statistics.mean.data(),
                                          statistics.reciprocal_deviation.data(),
                                          d_x.data,
                                          partials,
                                          x.rows,
                                          x.cols};
  const int64_t chunks = divided_up(x.rows, canon::column_chunk);
  at::parallel_for(0, chunks, 1,
                   [&](int64_t begin, int64_t end) { kernels_.layer_norm_backward(call, begin, end); });
  kernels_.column_total(partials, chunks, x.cols, gain_gradient.data(), 0, x.cols);
}

/** bf16: factors and product are rounded to it, sums are fp32, as autocast has it. A processor without instructions for it
 *  multiplies fp32 many times faster than libtorch's loops over bf16 would. */
void TorchOperators::product(const GemmCall& call) {
  multiply(call);
  round_output(product_of(call));
  finish(call);
}

void TorchOperators::multiply(const GemmCall& call) {
  const auto& [m, n, k] = std::tie(call.m, call.n, call.k);
  const bool a_is_transposed = call.layout == GemmLayout::tn, b_is_transposed = call.layout == GemmLayout::nt;
  const ConstMatrix a(call.a, a_is_transposed ? k : m, a_is_transposed ? m : k);
  const ConstMatrix b(call.b, b_is_transposed ? n : k, b_is_transposed ? k : n);
  auto factor = [&](ConstMatrix matrix, float* values) {
    if (!rounds_) return view(matrix);
    share_elements(matrix.rows * matrix.cols, [&](int64_t begin, int64_t end) {
      round_to_bf16(matrix.data + begin, values + begin, end - begin);
    });
    return view({values, matrix.rows, matrix.cols});
  };
  auto out = view(product_of(call));
  at::mm_out(out, oriented(factor(a, factors_.data()), a_is_transposed),
             oriented(factor(b, factors_.data() + in_lines(m * k)), b_is_transposed));
}

int64_t TorchOperators::factor_floats(const GemmCall& call) const {
  return rounds_ ? in_lines(call.m * call.k) + call.n * call.k : 0;
}

void TorchOperators::finish(const GemmCall& call) {
  auto share = [&](auto function) { share_elements(call.m * call.n, function); };
  auto gelu = [&](auto kernel) {
    share([&](int64_t begin, int64_t end) { kernel(call.up + begin, call.out + begin, end - begin); });
  };
  auto gelu_backward = [&](auto kernel) {
    share([&](int64_t begin, int64_t end) {
      kernel(call.out + begin, call.other + begin, call.out + begin, end - begin);
    });
  };
  switch (call.epilogue) {
    case Epilogue::none: return;
    case Epilogue::residual:
      return share([&](int64_t begin, int64_t end) {
        kernels_.accumulate(call.other + begin, call.out + begin, end - begin);
      });
    case Epilogue::gelu_erf: return gelu(kernels_.gelu_erf);
    case Epilogue::gelu_tanh: return gelu(kernels_.gelu_tanh);
    case Epilogue::gelu_erf_backward: return gelu_backward(kernels_.gelu_erf_backward);
    case Epilogue::gelu_tanh_backward: return gelu_backward(kernels_.gelu_tanh_backward);
  }
}

void TorchOperators::round_output(Matrix matrix) {
  if (!rounds_) return;
  share_elements(matrix.rows * matrix.cols, [&](int64_t begin, int64_t end) {
    round_to_bf16(matrix.data + begin, matrix.data + begin, end - begin);
  });
}

float* TorchOperators::scratch_of_thread() { return scratch_.data() + at::get_thread_num() * scratch_stride_; }

/** Queries, keys and values are outputs of a product, so with bf16 they are rounded already. Only what comes out is rounded
 *  besides: a few of autocast's roundings fewer. */
void TorchOperators::attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) {
  const canon::AttentionCall call{
      qkv.data, out.data, saved.data(), shape.batch, shape.time, shape.heads, shape.head_width};
  const int64_t blocks = divided_up(shape.time, canon::query_block);
  at::parallel_for(0, shape.batch * shape.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; ++head) {
      kernels_.attention(call, scratch_of_thread(), head * blocks, (head + 1) * blocks);
    }
  });
  round_output(out);
}

void TorchOperators::attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                                        ConstVector saved, Matrix d_qkv) {
  const canon::AttentionBackwardCall call{d_out.data,  out.data,   qkv.data,    saved.data(),    d_qkv.data,
                                          shape.batch, shape.time, shape.heads, shape.head_width};
  at::parallel_for(0, shape.batch * shape.heads, 1, [&](int64_t begin, int64_t end) {
    kernels_.attention_backward(call, scratch_of_thread(), begin, end);
  });
  round_output(d_qkv);
}

float TorchOperators::cross_entropy(Matrix logits, Tokens targets, Vector row_sums) {
  float* losses = scratch_.data();
  const canon::CrossEntropyCall call{logits.data, targets.data(), row_sums.data(), losses, logits.cols};
  share_rows(logits.rows, logits.cols, [&](int64_t begin, int64_t end) { kernels_.cross_entropy(call, begin, end); });
  return kernels_.row_sum(losses, logits.rows) / static_cast<float>(logits.rows);
}

void TorchOperators::cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) {
  // The kernel reads the sums; the losses are behind us.
  const canon::CrossEntropyCall call{
      logits.data, targets.data(), const_cast<float*>(row_sums.data()), nullptr, logits.cols};
  share_rows(logits.rows, logits.cols,
             [&](int64_t begin, int64_t end) { kernels_.cross_entropy_backward(call, share, begin, end); });
}

void TorchOperators::accumulate(ConstVector addend, Vector total) {
  share_elements(length_of(addend), [&](int64_t begin, int64_t end) {
    kernels_.accumulate(addend.data() + begin, total.data() + begin, end - begin);
  });
}

float TorchOperators::norm(const Layout&, const float* gradients) {
  float* squares = scratch_.data();
  at::parallel_for(0, static_cast<int64_t>(pieces_.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      squares[i] = kernels_.square_sum(gradients + pieces_[i].offset, pieces_[i].length);
    }
  });
  double total = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) total += squares[i];
  return static_cast<float>(std::sqrt(total));
}

std::optional<size_t> TorchOperators::adamw(const Layout& layout, const AdamwArenas& arenas,
                                            const InnerConstants& constants, const StepScalars& scalars,
                                            float gradient_scale) {
  const size_t none = layout.tensors().size();
  std::atomic<size_t> first_bad = none;
  at::parallel_for(0, static_cast<int64_t>(pieces_.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[i];
      const AdamwSlices slices{arenas.parameters + piece.offset, arenas.m + piece.offset, arenas.v + piece.offset,
                               arenas.gradients + piece.offset, piece.length};
      const float decay = layout.tensors()[piece.tensor].shape.size() > 1 ? scalars.decay : 1.0f;
      const bool finite = kernels_.adamw(slices, constants, scalars, decay, gradient_scale);
      parameters_updated(slices.parameters, piece.length);
      if (finite) continue;
      size_t seen = first_bad.load();
      while (piece.tensor < seen && !first_bad.compare_exchange_weak(seen, piece.tensor)) {
      }
    }
  });
  return first_bad == none ? std::nullopt : std::optional(first_bad.load());
}

bool TorchOperators::all_finite(ConstVector values) {
  std::atomic<bool> finite = true;
  share_elements(length_of(values), [&](int64_t begin, int64_t end) {
    if (!kernels_.all_finite(values.data() + begin, end - begin)) finite = false;
  });
  return finite;
}

void TorchOperators::group_roots(const Layout&, std::span<const float* const> arenas, Digest* roots) {
  IntraOp parallel;
  for (const float* const arena : arenas) *roots++ = state_tree_->group_root(arena, parallel);
}

}  // namespace panthalia
