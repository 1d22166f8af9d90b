#include "cuda/cuda_operators.h"

#include <algorithm>
#include <limits>

#include "engine/state_tree.h"
#include "kernels/canon/launch.h"

namespace panthalia {

namespace cuda = canon::cuda;

namespace {

constexpr int64_t chains_per_processor = 5 * 128 * 128;  // for chunks taken side by side: four of a gradient of 3,072 x 768 on 132 processors
constexpr int64_t strips_per_processor = 4;              // blocks of the attention kernel that run at once
constexpr int64_t column_chunk = 64;
constexpr int32_t no_tensor = 0x7f7f7f7f;

/** The settings of a CUDA trainer are the device's own; the stream makes it current at each call. */
class CudaScope final : public OperatorScope {};

Digest bytes_of(const cuda::DeviceDigest& digest) {
  Digest bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(digest.words[i / 4] >> (24 - i % 4 * 8));
  return bytes;
}

cuda::AttentionSizes sizes_of(AttentionShape shape) {
  return {shape.batch, shape.time, shape.heads, shape.head_width};
}

}  // namespace

CudaOperators::CudaOperators(std::unique_ptr<CudaDevice> device) : device_(std::move(device)) {}

void CudaOperators::plan(const ModelShape& shape, BatchShape batch) {
  CudaDevice& device = *device_;
  const Layout layout(shape);
  const int64_t N = batch.count(), C = shape.width;
  const int64_t score_rows = N * shape.heads;
  const cuda::AttentionSizes sizes{batch.rows, batch.tokens, shape.heads, shape.head_width()};
  gelu_ = shape.gelu == Gelu::erf ? cuda::GeluKind::erf : cuda::GeluKind::tanh;
  strips_ = std::min(strips_per_processor * device.processors(),
                     batch.rows * shape.heads * ((batch.tokens + column_chunk - 1) / column_chunk));
  norm_slots_ = DeviceSlots(device, layout, cuda::norm_chunk);
  leaf_slots_ = DeviceSlots(device, layout, cuda::leaf_chunk);
  tokens_ = {device, N};
  occurrences_ = {device, 3 * N + 1};
  chains_ = {device, chains_per_processor * device.processors()};
  turned_ = {device, cuda::attention_turned_floats(sizes)};
  score_strips_ = {device, cuda::attention_strip_floats(sizes, strips_)};
  corrections_ = {device, score_rows};
  column_sums_ = {device, (N + column_chunk - 1) / column_chunk * C};
  row_greatest_ = {device, N};
  row_losses_ = {device, N};
  square_sums_ = {device, norm_slots_.slots().chunks + norm_slots_.slots().count};
  digests_ = {device, 2 * cuda::most_arenas * leaf_slots_.slots().chunks};
  roots_ = {device, cuda::most_arenas * leaf_slots_.slots().count};
  answer_ = DeviceAnswer<float>(device);
  found_ = DeviceAnswer<int32_t>(device);
  next_row_.resize(static_cast<size_t>(shape.vocab_size));
  host_occurrences_.resize(static_cast<size_t>(3 * N + 1));
}

/** Greatest and weight of each score row. */
int64_t CudaOperators::attention_saved(AttentionShape shape) const {
  return 2 * shape.batch * shape.heads * shape.time;
}

std::unique_ptr<OperatorScope> CudaOperators::enter() { return std::make_unique<CudaScope>(); }

void CudaOperators::embedding(Tokens tokens, int64_t time, ConstMatrix token_table, ConstMatrix position_table,
                              Matrix out) {
  cuda::embedding(upload(tokens), out.rows, time, out.cols, token_table.data, position_table.data, out.data,
                  device_->stream());
}

void CudaOperators::embedding_backward(Tokens tokens, int64_t time, ConstMatrix d_out, Matrix token_gradient,
                                       Matrix position_gradient) {
  cuda::embedding_backward(find_occurrences(tokens), d_out.data, d_out.rows / time, time, position_gradient.rows,
                           d_out.cols, token_gradient.data, position_gradient.data, device_->stream());
}

void CudaOperators::layer_norm(ConstMatrix x, ConstVector gain, Matrix out, NormStatistics statistics) {
  cuda::layer_norm(x.data, gain.data(), x.rows, x.cols, out.data, statistics.mean.data(),
                   statistics.reciprocal_deviation.data(), device_->stream());
}

void CudaOperators::layer_norm_backward(ConstMatrix d_out, ConstMatrix x, ConstVector gain, NormStatistics statistics,
                                        Matrix d_x, Vector gain_gradient) {
  cuda::layer_norm_backward(d_out.data, x.data, gain.data(), statistics.mean.data(),
                            statistics.reciprocal_deviation.data(), x.rows, x.cols, d_x.data, gain_gradient.data(),
                            column_sums_.data(), device_->stream());
}

void CudaOperators::linear(ConstMatrix x, ConstMatrix weight, Matrix out) {
  product({x.data, x.cols, true}, {weight.data, weight.cols, true}, out, x.cols);
}

void CudaOperators::linear_residual(ConstMatrix x, ConstMatrix weight, ConstMatrix residual, Matrix out) {
  product({x.data, x.cols, true}, {weight.data, weight.cols, true}, out, x.cols, residual.data);
}

void CudaOperators::linear_gelu(ConstMatrix x, ConstMatrix weight, Matrix up, Matrix out) {
  linear(x, weight, up);
  cuda::gelu(up.data, up.rows * up.cols, gelu_, out.data, device_->stream());
}

void CudaOperators::linear_backward_input(ConstMatrix d_out, ConstMatrix weight, Matrix d_x) {
  product({d_out.data, d_out.cols, true}, {weight.data, weight.cols, false}, d_x, d_out.cols);
}

void CudaOperators::linear_backward_input_gelu(ConstMatrix d_out, ConstMatrix weight, ConstMatrix up, Matrix d_up) {
  linear_backward_input(d_out, weight, d_up);
  cuda::gelu_backward(d_up.data, up.data, d_up.rows * d_up.cols, gelu_, d_up.data, device_->stream());
}

void CudaOperators::linear_backward_weight(ConstMatrix d_out, ConstMatrix x, Matrix weight_gradient) {
  product({d_out.data, d_out.cols, false}, {x.data, x.cols, false}, weight_gradient, x.rows);
}

void CudaOperators::attention(ConstMatrix qkv, AttentionShape shape, Vector saved, Matrix out) {
  float* const greatest = saved.data();
  float* const weights = greatest + shape.batch * shape.heads * shape.time;
  cuda::attention(qkv.data, sizes_of(shape), turned_.data(), score_strips_.data(), strips_, greatest, weights, out.data,
                  device_->stream());
}

void CudaOperators::attention_backward(ConstMatrix d_out, ConstMatrix out, ConstMatrix qkv, AttentionShape shape,
                                       ConstVector saved, Matrix d_qkv) {
  const float* const greatest = saved.data();
  const float* const weights = greatest + shape.batch * shape.heads * shape.time;
  cuda::attention_backward(d_out.data, out.data, qkv.data, sizes_of(shape), greatest, weights, corrections_.data(),
                           turned_.data(), d_qkv.data, device_->stream());
}

/** Logits stay as they are. */
float CudaOperators::cross_entropy(Matrix logits, Tokens targets, Vector row_sums) {
  cuda::cross_entropy(logits.data, upload(targets), logits.rows, logits.cols, row_greatest_.data(), row_sums.data(),
                      row_losses_.data(), answer_.data(), device_->stream());
  return answer_.get();
}

void CudaOperators::cross_entropy_backward(Matrix logits, Tokens targets, ConstVector row_sums, float share) {
  cuda::cross_entropy_backward(logits.data, upload(targets), logits.rows, logits.cols, row_greatest_.data(),
                               row_sums.data(), share, device_->stream());
}

void CudaOperators::accumulate(ConstVector addend, Vector total) {
  cuda::accumulate(addend.data(), total.data(), static_cast<int64_t>(total.size()), device_->stream());
}

float CudaOperators::norm(const Layout&, const float* gradients) {
  float* const tensor_sums = square_sums_.data() + norm_slots_.slots().chunks;
  cuda::gradient_norm(norm_slots_.slots(), gradients, square_sums_.data(), tensor_sums, answer_.data(),
                      device_->stream());
  return answer_.get();
}

std::optional<size_t> CudaOperators::adamw(const Layout&, const AdamwArenas& arenas, const InnerConstants& constants,
                                           const StepScalars& scalars, float gradient_scale) {
  const cuda::AdamwConstants with{constants.beta1,   constants.one_minus_beta1,   constants.beta2,
                                  constants.one_minus_beta2, constants.epsilon,   scalars.step_size,
                                  scalars.second_moment_scale, scalars.decay,     gradient_scale};
  found_.set(no_tensor);
  cuda::adamw(norm_slots_.slots(), with, arenas.gradients, arenas.parameters, arenas.m, arenas.v, found_.data(),
              device_->stream());
  const int32_t bad = found_.get();
  if (bad == no_tensor) return std::nullopt;
  return static_cast<size_t>(bad);
}

bool CudaOperators::all_finite(ConstVector values) {
  found_.set(0);
  cuda::find_non_finite(values.data(), static_cast<int64_t>(values.size()), found_.data(), device_->stream());
  return found_.get() == 0;
}

void CudaOperators::group_roots(const Layout&, std::span<const float* const> arenas, Digest* roots) {
  const cuda::Slots& slots = leaf_slots_.slots();
  cuda::Arenas side_by_side{};
  for (const float* const arena : arenas) side_by_side.data[side_by_side.count++] = arena;
  cuda::tensor_roots(slots, leaf_slots_.most_chunks(), side_by_side, digests_.data(), roots_.data(), device_->stream());
  std::vector<cuda::DeviceDigest> words(arenas.size() * static_cast<size_t>(slots.count));
  device_->download(roots_.data(), words.data(), words.size() * sizeof(cuda::DeviceDigest));
  auto next = words.begin();
  for (size_t i = 0; i < arenas.size(); ++i) {
    std::vector<Digest> tensors(static_cast<size_t>(slots.count));
    for (Digest& tensor : tensors) tensor = bytes_of(*next++);
    roots[i] = group_root(std::move(tensors));
  }
}

void CudaOperators::product(cuda::Operand a, cuda::Operand b, Matrix out, int64_t depth, const float* residual) {
  const cuda::ProductResources resources{chains_.data(), chains_per_processor * device_->processors(),
                                         device_->processors()};
  cuda::product({a, b, out.data, out.rows, out.cols, depth, residual}, resources, device_->stream());
}

const int64_t* CudaOperators::upload(Tokens tokens) {
  device_->upload(tokens.data(), tokens_.data(), tokens.size_bytes());
  return tokens_.data();
}

/** A counting sort, stable: on the host, while the device is still at work on the layers. */
cuda::Occurrences CudaOperators::find_occurrences(Tokens tokens) {
  const auto rows = static_cast<int32_t>(tokens.size());
  int32_t* const occurring = host_occurrences_.data();
  int32_t* const starts = occurring + rows;
  int32_t* const sorted = starts + rows + 1;
  std::vector<int32_t>& next = next_row_;  // how often a token occurs, then where its next row goes
  std::fill(next.begin(), next.end(), 0);
  for (const int64_t token : tokens) next[static_cast<size_t>(token)] += 1;
  int32_t distinct = 0, start = 0;
  for (size_t token = 0; token < next.size(); ++token) {
    if (next[token] == 0) continue;
    occurring[distinct] = static_cast<int32_t>(token);
    starts[distinct] = start;
    distinct += 1;
    start += std::exchange(next[token], start);
  }
  starts[distinct] = start;
  for (int32_t row = 0; row < rows; ++row) sorted[next[static_cast<size_t>(tokens[row])]++] = row;
  device_->upload(occurring, occurrences_.data(), host_occurrences_.size() * sizeof(int32_t));
  return {occurrences_.data(), occurrences_.data() + rows, occurrences_.data() + 2 * rows + 1, distinct};
}

}  // namespace panthalia
