#include "kernels/torch/bf16_operators.h"

#include <atomic>

#include "kernels/canon/isa.h"
#include "kernels/canon/parallel_gemm.h"
#include "kernels/torch/bf16_kernels.h"
#include "kernels/torch/torch_parallel.h"

namespace panthalia {

using canon::GemmCall;
using canon::GemmLayout;

namespace {

/** Where the terms of a row are no whole number of words. */
bool pads_a(const GemmCall& call) { return call.layout != GemmLayout::tn && call.k % 2 != 0; }

int64_t words_of_a(const GemmCall& call) { return pads_a(call) ? in_lines(call.m * pairs_of(call.k)) : 0; }

}  // namespace

Bf16Operators::Bf16Operators(int threads)
    : TorchOperators(threads, with_bf16_activations(canon::kernels_of(canon::best_isa())), false) {}

void Bf16Operators::plan(const ModelShape& shape, BatchShape batch) {
  TorchOperators::plan(shape, batch);
  rounded_parameters_.resize(static_cast<size_t>(Layout(shape).parameter_count()));
  stream_gradient_ = Arena(batch.count() * shape.width);
}

void Bf16Operators::parameters_written(const float* parameters) {
  master_ = parameters;
  parameters_updated(parameters, static_cast<int64_t>(rounded_parameters_.size()));
}

void Bf16Operators::parameters_updated(const float* parameters, int64_t count) {
  round_to_bf16(parameters, rounded_parameters_.data() + (parameters - master_), count);
}

void Bf16Operators::embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                       Matrix position_gradient) {
  const int64_t elements = d_out.rows * d_out.cols;
  const StreamGradient gradient(const_cast<float*>(d_out.data), elements);
  share_elements(elements, [&](int64_t begin, int64_t end) {
    join_bf16(gradient.rounded + begin, gradient.rest + begin, stream_gradient_.data() + begin, end - begin);
  });
  TorchOperators::embedding_backward(tokens, time, {stream_gradient_.data(), d_out.rows, d_out.cols}, token_gradient,
                                     position_gradient);
}

void Bf16Operators::product(const GemmCall& call) {
  GemmCall paired = call;
  float* const words = factors_.data();
  if (call.layout != GemmLayout::tn) {
    paired.b = reinterpret_cast<const float*>(rounded_parameters_.data() + (call.b - master_));
  }
  if (pads_a(call)) {
    const auto* const a = reinterpret_cast<const Bf16*>(call.a);
    share_rows(call.m, call.k, [&](int64_t begin, int64_t end) {
      pad_bf16_rows(a + begin * call.k, end - begin, call.k, words + begin * pairs_of(call.k));
    });
    paired.a = words;
  }
  float* const free = words + words_of_a(call);
  const canon::GemmPieces pieces(kernels_.gemm, paired, threads());
  at::parallel_for(0, pieces.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) pieces.run(piece, at::get_thread_num(), free);
  });
}

int64_t Bf16Operators::factor_floats(const GemmCall& call) const {
  return words_of_a(call) + canon::GemmPieces(kernels_.gemm, call, threads()).workspace();
}

bool Bf16Operators::is_finite(ConstMatrix activation) {
  const auto* const values = reinterpret_cast<const Bf16*>(activation.data);
  std::atomic<bool> finite = true;
  share_elements(activation.rows * activation.cols, [&](int64_t begin, int64_t end) {
    if (!are_bf16_finite(values + begin, end - begin)) finite = false;
  });
  return finite;
}

}  // namespace panthalia
