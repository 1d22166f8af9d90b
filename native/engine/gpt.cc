#include "engine/gpt.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/exact_arithmetic.h"

namespace panthalia {

namespace {

/** One matrix has at most 2^58 floats by the limits on every dimension, so a sum that is checked against the same
 *  number after each can not leave 63 bits. No machine has that much. */
constexpr int64_t most_activations = int64_t{1} << 58;

}  // namespace

using enum Layout::LayerTensor;

Gpt::Gpt(const ModelShape& shape, BatchShape batch, Operators& operators, const StopFlag& stop)
    : shape_(shape),
      batch_(batch),
      heads_{batch.rows, batch.tokens, shape.heads, shape.width / std::max<int64_t>(1, shape.heads)},
      layout_(shape),
      operators_(operators),
      stop_(stop) {
  if (batch.rows < 1 || batch.rows > 65536 || batch.tokens < 1 || batch.tokens > shape.block_size) {
    throw EngineError(ErrorCode::value_out_of_range,
                      "a batch must have 1 to 65536 rows of 1 to " + std::to_string(shape.block_size) +
                          " tokens (blockSize), received " + std::to_string(batch.rows) + " rows of " +
                          std::to_string(batch.tokens));
  }
  layers_.resize(shape.layers);
  activations_ = Arena(plan(nullptr), operators.memory());
  plan(activations_.data());
  operators.plan(shape, batch);
}

/** Places every activation behind base; returns the floats needed. Called once to measure and once to place. */
int64_t Gpt::plan(float* base) {
  int64_t used = 0;
  auto take_floats = [&](int64_t floats) {
    float* data = base == nullptr ? nullptr : base + used;
    used += (floats + 15) / 16 * 16;  // keeps every matrix 64-byte aligned
    if (used > most_activations) {
      throw EngineError(ErrorCode::out_of_memory,
                        "a batch of " + std::to_string(batch_.rows) + " rows of " + std::to_string(batch_.tokens) +
                            " tokens needs more than 2^58 activations for this model");
    }
    return data;
  };
  auto take_stream = [&](int64_t rows, int64_t cols) { return Matrix{take_floats(rows * cols), rows, cols}; };
  auto take = [&](int64_t rows, int64_t cols) {
    return Matrix{take_floats(operators_.activation_floats(rows * cols)), rows, cols};
  };
  const int64_t N = batch_.count();
  const int64_t C = shape_.width;
  auto take_vector = [&](int64_t length) {
    return Vector{take_floats(length), static_cast<size_t>(length)};
  };
  auto take_norm = [&] { return Norm{take(N, C), {take_vector(N), take_vector(N)}}; };

  embedded_ = take_stream(N, C);
  for (Layer& layer : layers_) {
    layer.ln_1 = take_norm();
    layer.qkv = take(N, 3 * C);
    layer.attention_saved = take_vector(operators_.attention_saved(heads_));
    layer.attention = take(N, C);
    layer.middle = take_stream(N, C);
    layer.ln_2 = take_norm();
    layer.up = take(N, 4 * C);
    layer.gelu = take(N, 4 * C);
    layer.out = take_stream(N, C);
  }
  final_norm_ = take_norm();
  logits_ = take(N, shape_.vocab_size);
  row_sums_ = take_vector(N);
  scratch_ = {take_stream(N, C), take(N, C), take(N, 3 * C), take(N, 4 * C)};
  return used;
}

float Gpt::forward(const float* parameters, Tokens inputs, Tokens targets) {
  const ConstMatrix wte = view(parameters, Layout::token_embedding);
  op().embedding(inputs, batch_.tokens, wte, view(parameters, Layout::position_embedding), embedded_);
  Matrix stream = embedded_;
  for (int64_t i = 0; i < shape_.layers; ++i) {
    forward_layer(parameters, i, stream);
    stream = layers_[i].out;
  }
  op().layer_norm(stream, gain(parameters, layout_.final_norm()), final_norm_.out, final_norm_.statistics);
  op().linear(final_norm_.out, wte, logits_);
  return op().cross_entropy(logits_, targets, row_sums_);
}

void Gpt::forward_layer(const float* parameters, int64_t index, ConstMatrix in) {
  Layer& layer = layers_[index];
  auto weight = [&](Layout::LayerTensor tensor) { return view(parameters, layout_.layer_tensor(index, tensor)); };
  auto norm_gain = [&](Layout::LayerTensor tensor) {
    return gain(parameters, layout_.layer_tensor(index, tensor));
  };

  op().layer_norm(in, norm_gain(ln_1), layer.ln_1.out, layer.ln_1.statistics);
  op().linear(layer.ln_1.out, weight(attention_qkv), layer.qkv);
  op().attention(layer.qkv, heads_, layer.attention_saved, layer.attention);
  op().linear_residual(layer.attention, weight(attention_projection), in, layer.middle);

  op().layer_norm(layer.middle, norm_gain(ln_2), layer.ln_2.out, layer.ln_2.statistics);
  op().linear_gelu(layer.ln_2.out, weight(mlp_up), layer.up, layer.gelu);
  op().linear_residual(layer.gelu, weight(mlp_down), layer.middle, layer.out);
}

void Gpt::backward(const float* parameters, Tokens inputs, Tokens targets, int64_t micro_batches, float* gradients) {
  const ConstMatrix wte = view(parameters, Layout::token_embedding);
  const Matrix wte_gradient = view(gradients, Layout::token_embedding);
  const Matrix last = layers_.back().out;

  const float share = 1.0f / static_cast<float>(batch_.count() * micro_batches);
  op().cross_entropy_backward(logits_, targets, row_sums_, share);
  op().linear_backward_weight(logits_, final_norm_.out, wte_gradient);
  op().linear_backward_input(logits_, wte, scratch_.branch);
  operators_.memory().zero(scratch_.stream.data, scratch_.stream.rows * scratch_.stream.cols);
  op().layer_norm_backward(scratch_.branch, last, gain(parameters, layout_.final_norm()), final_norm_.statistics,
                           scratch_.stream, gain(gradients, layout_.final_norm()));
  for (int64_t i = shape_.layers - 1; i >= 0; --i) {
    backward_layer(parameters, i, i == 0 ? embedded_ : layers_[i - 1].out, gradients);
  }
  op().embedding_backward(inputs, batch_.tokens, scratch_.stream, wte_gradient,
                          view(gradients, Layout::position_embedding));
}

void Gpt::backward_layer(const float* parameters, int64_t index, ConstMatrix in, float* gradients) {
  const Layer& layer = layers_[index];
  auto weight = [&](Layout::LayerTensor tensor) { return view(parameters, layout_.layer_tensor(index, tensor)); };
  auto gradient = [&](Layout::LayerTensor tensor) { return view(gradients, layout_.layer_tensor(index, tensor)); };
  auto norm_backward = [&](Layout::LayerTensor tensor, ConstMatrix x, const Norm& norm) {
    const int64_t slot = layout_.layer_tensor(index, tensor);
    op().layer_norm_backward(scratch_.branch, x, gain(parameters, slot), norm.statistics, scratch_.stream,
                             gain(gradients, slot));
  };

  op().linear_backward_weight(scratch_.stream, layer.gelu, gradient(mlp_down));
  op().linear_backward_input_gelu(scratch_.stream, weight(mlp_down), layer.up, scratch_.up);
  op().linear_backward_weight(scratch_.up, layer.ln_2.out, gradient(mlp_up));
  op().linear_backward_input(scratch_.up, weight(mlp_up), scratch_.branch);
  norm_backward(ln_2, layer.middle, layer.ln_2);

  op().linear_backward_weight(scratch_.stream, layer.attention, gradient(attention_projection));
  op().linear_backward_input(scratch_.stream, weight(attention_projection), scratch_.branch);
  op().attention_backward(scratch_.branch, layer.attention, layer.qkv, heads_, layer.attention_saved, scratch_.qkv);
  op().linear_backward_weight(scratch_.qkv, layer.ln_1.out, gradient(attention_qkv));
  op().linear_backward_input(scratch_.qkv, weight(attention_qkv), scratch_.branch);
  norm_backward(ln_1, in, layer.ln_1);
}

std::string Gpt::first_non_finite_activation() {
  const auto place = [](const std::string& operators, const char* tensor, ConstMatrix shape) {
    return operators + ", in tensor " + tensor + " (" + std::to_string(shape.rows) + ", " + std::to_string(shape.cols) + ")";
  };
  auto bad = [&](ConstMatrix activation) { return !operators_.is_finite(activation); };
  auto bad_stream = [&](ConstMatrix stream) {
    return !operators_.all_finite({stream.data, static_cast<size_t>(stream.rows * stream.cols)});
  };
  if (bad_stream(embedded_)) return place("the embedding", "x", embedded_);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const std::tuple<ConstMatrix, bool, const char*, const char*> outputs[] = {
        {layer.ln_1.out, false, "layer norm ln_1", "a"},
        {layer.qkv, false, "linear attn.c_attn", "qkv"},
        {layer.attention, false, "attention", "o"},
        {layer.middle, true, "linear attn.c_proj with its residual", "y"},
        {layer.ln_2.out, false, "layer norm ln_2", "f"},
        {layer.up, false, "linear mlp.c_fc", "u"},
        {layer.gelu, false, "gelu", "gelu(u)"},
        {layer.out, true, "linear mlp.c_proj with its residual", "x"}};
    for (const auto& [matrix, is_stream, name, tensor] : outputs) {
      if (!(is_stream ? bad_stream(matrix) : bad(matrix))) continue;
      return place(std::string(name) + " of layer " + std::to_string(i), tensor, matrix);
    }
  }
  if (bad(final_norm_.out)) return place("layer norm ln_f", "layerNorm(x, ln_f)", final_norm_.out);
  // The loss is taken in the memory of z, where minus infinity has become a probability of zero.
  const std::string last = "the head's linear or the cross-entropy";
  return bad(logits_) ? place(last, "z", logits_) : last + ", in tensor loss";
}

std::optional<std::string> Gpt::first_non_finite_gradient(const float* gradients) {
  auto bad = [&](int64_t tensor, const std::string& operators) -> std::optional<std::string> {
    const TensorSlot& slot = layout_.tensors()[tensor];
    if (operators_.all_finite({gradients + slot.offset, static_cast<size_t>(slot.length)})) return std::nullopt;
    return "the backward pass of " + operators + ", in the gradient of tensor " + slot.name;
  };
  // Between one parameter's gradient and the next, gradients of activations are computed that nobody keeps.
  constexpr std::pair<Layout::LayerTensor, const char*> written[] = {
      {mlp_down, "linear mlp.c_proj"},
      {mlp_up, "linear mlp.c_proj, gelu or linear mlp.c_fc"},
      {ln_2, "linear mlp.c_fc or layer norm ln_2"},
      {attention_projection, "layer norm ln_2 or linear attn.c_proj"},
      {attention_qkv, "linear attn.c_proj, attention or linear attn.c_attn"},
      {ln_1, "linear attn.c_attn or layer norm ln_1"}};
  if (const auto found = bad(layout_.final_norm(), "the cross-entropy, the head's linear or layer norm ln_f")) return found;
  std::string above = "layer norm ln_f";
  for (int64_t i = shape_.layers - 1; i >= 0; --i) {
    const std::string layer = " of layer " + std::to_string(i);
    for (const auto& [tensor, names] : written) {
      const std::string before = tensor == mlp_down ? above + " or " : "";
      if (const auto found = bad(layout_.layer_tensor(i, tensor), before + names + layer)) return found;
    }
    above = "layer norm ln_1" + layer;
  }
  const auto found = bad(Layout::position_embedding, above + " or the embedding");
  return found ? found : bad(Layout::token_embedding, "the head's linear or the embedding");
}

Matrix Gpt::view(float* arena, int64_t tensor) const {
  const TensorSlot& slot = layout_.tensors()[tensor];
  return {arena + slot.offset, slot.shape[0], slot.shape[1]};
}

ConstMatrix Gpt::view(const float* arena, int64_t tensor) const {
  const TensorSlot& slot = layout_.tensors()[tensor];
  return {arena + slot.offset, slot.shape[0], slot.shape[1]};
}

ConstVector Gpt::gain(const float* parameters, int64_t tensor) const {
  const TensorSlot& slot = layout_.tensors()[tensor];
  return {parameters + slot.offset, static_cast<size_t>(slot.length)};
}

Vector Gpt::gain(float* gradients, int64_t tensor) const {
  const TensorSlot& slot = layout_.tensors()[tensor];
  return {gradients + slot.offset, static_cast<size_t>(slot.length)};
}

Operators& Gpt::op() const {
  stop_.check();
  return operators_;
}

}  // namespace panthalia
