#include "kernels/canon/canon_operators.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "engine/arena.h"
#include "engine/exact_arithmetic.h"
#include "engine/floating_point_mode.h"
#include "engine/state_tree.h"
#include "kernels/canon/linear_operators.h"
#include "kernels/canon/parallel_attention.h"
#include "kernels/canon/parallel_gemm.h"
#include "kernels/canon/thread_pool.h"

namespace panthalia {
namespace canon {
namespace {

/** Elements of one piece of an elementwise operator: long enough to be worth handing out, short enough to share evenly. */
constexpr int64_t piece_elements = 1 << 15;
/** Columns of one piece where rows must be taken in order: whole cache lines, or two threads would share one. */
constexpr int64_t piece_columns = 64;
/** Chunks of one tensor that a thread takes at once. */
constexpr int64_t piece_chunks = 16;

int64_t divided_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

int64_t length_of(ConstVector values) { return static_cast<int64_t>(values.size()); }

/** Up to piece_chunks chunks of one tensor. */
struct TensorPiece {
  size_t tensor;
  int64_t offset;  // floats from the start of the arena
  int64_t length;
  int64_t first_chunk;  // counted over the whole arena
};

class PoolParallel final : public Parallel {
 public:
  explicit PoolParallel(ThreadPool& pool) : pool_(pool) {}
  void run(int64_t pieces, PieceFunction function) override {
    pool_.run(pieces, [&](int64_t piece, int) { function(piece); });
  }

 private:
  ThreadPool& pool_;
};

class CanonOperators final : public LinearOperators {
 public:
  CanonOperators(int threads, Isa isa) : kernels_(kernels_of(isa)), pool_(threads) {}

  void plan(const ModelShape& shape, BatchShape batch) override;
  int64_t attention_saved(AttentionShape shape) const override {
    return canon::attention_saved(shape.batch, shape.time, shape.heads);
  }
  std::unique_ptr<OperatorScope> enter() override {
    check_floating_point_mode();
    return nullptr;
  }

  void embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                 Matrix out) override;
  void embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                          Matrix position_gradient) override;

  void layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) override;
  void layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics, Matrix d_x,
                           Vector gain_gradient) override;

  void attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) override;
  void attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape, ConstVector saved,
                          Matrix d_qkv) override;

  float cross_entropy(Matrix logits, Tokens targets, Vector row_sums) override;
  void cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) override;

  void accumulate(ConstVector addend, Vector total) override;
  float norm(const Layout& layout, const float* gradients) override;
  std::optional<size_t> adamw(const Layout& layout, const AdamwArenas& arenas, const InnerConstants& constants,
                              const StepScalars& scalars, float gradient_scale) override;
  bool all_finite(ConstVector values) override;
  void group_roots(const Layout& layout, std::span<const float* const> arenas, Digest* roots) override;

 private:
  /** function(begin, end) over [0, count) in pieces of `grain`. */
  template <typename Function>
  void share(int64_t count, int64_t grain, Function function) {
    pool_.run(divided_up(count, grain),
              [&](int64_t piece, int) { function(piece * grain, std::min(count, (piece + 1) * grain)); });
  }
  /** The same over rows of `columns` elements. */
  template <typename Function>
  void share_rows(int64_t rows, int64_t columns, Function function) {
    share(rows, std::max<int64_t>(1, piece_elements / columns), function);
  }
  void product(const GemmCall& call) override { gemm(pool_, kernels_, call, scratch_.data()); }
  int64_t product_workspace(const ModelShape& shape, int64_t rows) const;

  const Kernels& kernels_;
  ThreadPool pool_;
  /** What one operator needs while it runs: partial sums, losses of rows, packed matrices. */
  Arena scratch_;
  std::vector<TensorPiece> pieces_;
  std::optional<StateTree> state_tree_;
};

void CanonOperators::plan(const ModelShape& shape, BatchShape batch) {
  gelu_ = shape.gelu;
  const Layout layout(shape);
  state_tree_.emplace(layout);
  pieces_.clear();
  int64_t chunks = 0;
  for (size_t tensor = 0; tensor < layout.tensors().size(); ++tensor) {
    const TensorSlot& slot = layout.tensors()[tensor];
    for (int64_t at = 0; at < slot.length; at += piece_chunks * square_chunk) {
      const int64_t length = std::min(piece_chunks * square_chunk, slot.length - at);
      pieces_.push_back({tensor, slot.offset + at, length, chunks});
      chunks += divided_up(length, square_chunk);
    }
  }
  const int64_t N = batch.count();
  scratch_ = Arena(std::max({chunks, N, divided_up(N, column_chunk) * shape.width, product_workspace(shape, N),
                             attention_workspace(kernels_, batch.tokens, shape.head_width(), pool_.threads())}));
}

/** The most that any product of a step needs. */
int64_t CanonOperators::product_workspace(const ModelShape& shape, int64_t rows) const {
  int64_t most = 0;
  for (const GemmCall& call : products_of(shape, rows)) {
    most = std::max(most, GemmPieces(kernels_.gemm, call, pool_.threads()).workspace());
  }
  return most;
}

void CanonOperators::embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                               Matrix out) {
  const EmbeddingCall call{tokens.data(), token_table.data, position_table.data, out.data, time, out.cols};
  share_rows(out.rows, out.cols, [&](int64_t begin, int64_t end) { kernels_.embedding(call, begin, end); });
}

void CanonOperators::embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                        Matrix position_gradient) {
  const EmbeddingBackwardCall call{tokens.data(), d_out.data, token_gradient.data, position_gradient.data,
                                   d_out.rows,    time,       d_out.cols};
  std::fill(position_gradient.data + time * d_out.cols,
            position_gradient.data + position_gradient.rows * position_gradient.cols, 0.0f);
  share(d_out.cols, piece_columns,
        [&](int64_t begin, int64_t end) { kernels_.embedding_backward_tokens(call, begin, end); });
  share_rows(time, d_out.rows / time * d_out.cols,
             [&](int64_t begin, int64_t end) { kernels_.embedding_backward_positions(call, begin, end); });
}

void CanonOperators::layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) {
  const LayerNormCall call{
      x.data, gain.data(), out.data, statistics.mean.data(), statistics.reciprocal_deviation.data(), x.cols};
  share_rows(x.rows, x.cols, [&](int64_t begin, int64_t end) { kernels_.layer_norm(call, begin, end); });
}

void CanonOperators::layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics,
                                         Matrix d_x, Vector gain_gradient) {
  const LayerNormBackwardCall call{d_out.data,
                                   x.data,
                                   gain.data(),
                                   statistics.mean.data(),
                                   statistics.reciprocal_deviation.data(),
                                   d_x.data,
                                   scratch_.data(),
                                   x.rows,
                                   x.cols};
  const int64_t chunks = divided_up(x.rows, column_chunk);
  share(chunks, 1, [&](int64_t begin, int64_t end) { kernels_.layer_norm_backward(call, begin, end); });
  share(x.cols, std::max(piece_columns, piece_elements / chunks), [&](int64_t begin, int64_t end) {
    kernels_.column_total(scratch_.data(), chunks, x.cols, gain_gradient.data(), begin, end);
  });
}

void CanonOperators::attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) {
  const AttentionCall call{
      qkv.data, out.data, saved.data(), shape.batch, shape.time, shape.heads, shape.head_width};
  canon::attention(pool_, kernels_, call, scratch_.data());
}

void CanonOperators::attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                                        ConstVector saved, Matrix d_qkv) {
  const AttentionBackwardCall call{d_out.data,  out.data,   qkv.data,    saved.data(),     d_qkv.data,
                                   shape.batch, shape.time, shape.heads, shape.head_width};
  canon::attention_backward(pool_, kernels_, call, scratch_.data());
}

float CanonOperators::cross_entropy(Matrix logits, Tokens targets, Vector row_sums) {
  float* losses = scratch_.data();
  const CrossEntropyCall call{logits.data, targets.data(), row_sums.data(), losses, logits.cols};
  share_rows(logits.rows, logits.cols, [&](int64_t begin, int64_t end) { kernels_.cross_entropy(call, begin, end); });
  return kernels_.row_sum(losses, logits.rows) / static_cast<float>(logits.rows);
}

void CanonOperators::cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) {
  // The kernel reads the sums; the losses are behind us.
  const CrossEntropyCall call{
      logits.data, targets.data(), const_cast<float*>(row_sums.data()), nullptr, logits.cols};
  share_rows(logits.rows, logits.cols,
             [&](int64_t begin, int64_t end) { kernels_.cross_entropy_backward(call, share, begin, end); });
}

void CanonOperators::accumulate(ConstVector addend, Vector total) {
  share(length_of(addend), piece_elements, [&](int64_t begin, int64_t end) {
    kernels_.accumulate(addend.data() + begin, total.data() + begin, end - begin);
  });
}

/** Square sums of chunks on all threads, added up in order by one. */
float CanonOperators::norm(const Layout&, const float* gradients) {
  float* squares = scratch_.data();
  pool_.run(static_cast<int64_t>(pieces_.size()), [&](int64_t index, int) {
    const TensorPiece& piece = pieces_[index];
    float* square = squares + piece.first_chunk;
    for (int64_t at = 0; at < piece.length; at += square_chunk) {
      *square++ = kernels_.square_sum(gradients + piece.offset + at, std::min(square_chunk, piece.length - at));
    }
  });
  float total = 0, of_tensor = 0;
  for (size_t index = 0; index < pieces_.size(); ++index) {
    const TensorPiece& piece = pieces_[index];
    const float* square = squares + piece.first_chunk;
    const int64_t chunks = divided_up(piece.length, square_chunk);
    const bool is_first = index == 0 || pieces_[index - 1].tensor != piece.tensor;
    const bool is_last = index + 1 == pieces_.size() || pieces_[index + 1].tensor != piece.tensor;
    if (is_first) of_tensor = *square;
    for (int64_t chunk = is_first ? 1 : 0; chunk < chunks; ++chunk) of_tensor += square[chunk];
    if (is_last) total = piece.tensor == 0 ? of_tensor : total + of_tensor;
  }
  return std::sqrt(total);
}

std::optional<size_t> CanonOperators::adamw(const Layout& layout, const AdamwArenas& arenas,
                                            const InnerConstants& constants, const StepScalars& scalars,
                                            float gradient_scale) {
  const size_t none = layout.tensors().size();
  std::atomic<size_t> first_bad = none;
  pool_.run(static_cast<int64_t>(pieces_.size()), [&](int64_t index, int) {
    const TensorPiece& piece = pieces_[index];
    const AdamwSlices slices{arenas.parameters + piece.offset, arenas.m + piece.offset, arenas.v + piece.offset,
                             arenas.gradients + piece.offset, piece.length};
    const float decay = layout.tensors()[piece.tensor].shape.size() > 1 ? scalars.decay : 1.0f;
    if (kernels_.adamw(slices, constants, scalars, decay, gradient_scale)) return;
    size_t seen = first_bad.load();
    while (piece.tensor < seen && !first_bad.compare_exchange_weak(seen, piece.tensor)) {
    }
  });
  return first_bad == none ? std::nullopt : std::optional(first_bad.load());
}

bool CanonOperators::all_finite(ConstVector values) {
  std::atomic<bool> finite = true;
  share(length_of(values), piece_elements, [&](int64_t begin, int64_t end) {
    if (!kernels_.all_finite(values.data() + begin, end - begin)) finite = false;
  });
  return finite;
}

void CanonOperators::group_roots(const Layout&, std::span<const float* const> arenas, Digest* roots) {
  PoolParallel parallel(pool_);
  for (const float* const arena : arenas) *roots++ = state_tree_->group_root(arena, parallel);
}

}  // namespace
}  // namespace canon

std::unique_ptr<Operators> make_canon_operators(int threads, canon::Isa isa) {
  return std::make_unique<canon::CanonOperators>(threads, isa);
}

}  // namespace panthalia
