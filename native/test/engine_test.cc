// Oracles that need libtorch's own autograd and optimisers. Prints one JSON object; tests/engine judges the numbers.
//
//   panthalia_engine_test gradients OPSET GELU V T L heads C B   our loss and gradients, and autograd's in the same precision,
//                                                                against autograd's in fp64
//     OPSET: canon-f32-v1, torch, torch-bf16 (fp32 products of what was rounded to bf16) or torch-bf16-instructions
//   panthalia_engine_test nesterov ROUNDS             our outer step against torch::optim::SGD(nesterov)
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/gpt.h"
#include "engine/outer_step.h"
#include "engine/philox.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/torch/torch_runtime.h"

namespace panthalia {
namespace {

/** A stream of numbers that does not depend on the code under test. */
class Numbers {
 public:
  explicit Numbers(uint32_t seed) : seed_(seed) {}
  double normal() { return normal_from_word(word()); }
  int64_t below(int64_t limit) { return word() % limit; }

 private:
  uint32_t word() { return philox({next_++, 0, 0, 0}, {seed_, 0})[0]; }
  uint32_t seed_;
  uint32_t next_ = 0;
};

/** nanoGPT's forward pass, as karpathy/nanoGPT model.py writes it, on tensors that record their gradient. */
at::Tensor reference_loss(const ModelShape& shape, const std::vector<at::Tensor>& parameters, const at::Tensor& inputs,
                          const at::Tensor& targets) {
  size_t next = 0;
  auto take = [&] { return parameters[next++]; };
  const int64_t B = inputs.size(0), T = inputs.size(1), C = shape.width, h = shape.heads;
  auto norm = [&](const at::Tensor& x, const at::Tensor& gain) { return at::layer_norm(x, {C}, gain, {}, 1e-5); };
  auto heads = [&](const at::Tensor& x) { return x.view({B, T, h, C / h}).transpose(1, 2); };  // (B, h, T, D)

  const auto wte = take(), wpe = take();
  auto x = at::embedding(wte, inputs) + wpe.slice(0, 0, T);  // (B, T, C)
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    const auto ln_1 = take(), c_attn = take(), attention_out = take(), ln_2 = take(), c_fc = take(), c_proj = take();
    const auto qkv = at::linear(norm(x, ln_1), c_attn).split(C, 2);
    auto scores = at::matmul(heads(qkv[0]), heads(qkv[1]).transpose(2, 3)) / std::sqrt(static_cast<double>(C / h));
    scores = scores.masked_fill(at::ones({T, T}, at::kBool).triu(1), -INFINITY);
    const auto mixed = at::matmul(at::softmax(scores, -1), heads(qkv[2])).transpose(1, 2).reshape({B, T, C});
    x = x + at::linear(mixed, attention_out);
    const auto up = at::linear(norm(x, ln_2), c_fc);
    x = x + at::linear(at::gelu(up, shape.gelu == Gelu::erf ? "none" : "tanh"), c_proj);
  }
  const auto logits = at::linear(norm(x, take()), wte);  // (B, T, V)
  return at::cross_entropy_loss(logits.view({B * T, -1}), targets.view(-1));
}

double relative_error(const at::Tensor& ours, const at::Tensor& reference) {
  const double scale = reference.norm().item<double>();
  return (ours - reference).norm().item<double>() / (scale > 0 ? scale : 1.0);
}

struct Reference {
  double loss;
  std::vector<at::Tensor> gradients;  // in double
};

/** While it lives, what autocast lists as safe in bf16 is done in bf16. */
class Autocast {
 public:
  explicit Autocast(bool enabled) { at::autocast::set_autocast_enabled(at::kCPU, enabled); }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
};

/** What autograd gives with all arithmetic in `kind`; bf16 is autocast over fp32. */
Reference reference_of(at::ScalarType kind, const ModelShape& shape, const Layout& layout, float* theta,
                       const at::Tensor& inputs, const at::Tensor& targets) {
  std::vector<at::Tensor> parameters;
  for (const TensorSlot& slot : layout.tensors()) {
    const auto view = at::from_blob(theta + slot.offset, slot.shape, at::kFloat);
    parameters.push_back(view.to(kind == at::kBFloat16 ? at::kFloat : kind, false, true).detach().requires_grad_());
  }
  at::Tensor loss;
  {
    const Autocast autocast(kind == at::kBFloat16);
    loss = reference_loss(shape, parameters, inputs, targets);
  }
  loss.backward();
  Reference reference{loss.item<double>(), {}};
  for (const auto& parameter : parameters) reference.gradients.push_back(parameter.grad().to(at::kDouble));
  return reference;
}

/** Root mean squares over several models, so that a tensor of a few elements has no luck. */
constexpr uint32_t models = 8;

struct Errors {
  double loss = 0;                     // the worst
  std::vector<double> ours, autograd;  // of each tensor
};

void add_errors(uint32_t seed, Operators& operators, at::ScalarType kind, const ModelShape& shape, BatchShape batch,
                Errors& errors) {
  StopFlag stop;
  Gpt gpt(shape, batch, operators, stop);
  Arena theta(gpt.layout().parameter_count()), gradients(gpt.layout().parameter_count());
  Numbers numbers(seed);
  for (const TensorSlot& slot : gpt.layout().tensors()) {
    const double centre = slot.shape.size() == 1 ? 1.0 : 0.0;  // gains around 1, so that a forgotten gain shows
    for (int64_t i = 0; i < slot.length; ++i) {
      theta.data()[slot.offset + i] = static_cast<float>(centre + 0.1 * numbers.normal());
    }
  }
  std::vector<int64_t> inputs(batch.count()), targets(batch.count());
  for (auto& token : inputs) token = numbers.below(shape.vocab_size);
  for (auto& token : targets) token = numbers.below(shape.vocab_size);
  std::fill_n(gradients.data(), gradients.size(), NAN);  // every element must be written

  float loss;
  {
    const auto scope = operators.enter();
    operators.parameters_written(theta.data());
    loss = gpt.forward(theta.data(), inputs, targets);
    gpt.backward(theta.data(), inputs, targets, 1, gradients.data());
  }
  auto tokens = [&](std::vector<int64_t>& values) {
    return at::from_blob(values.data(), {batch.rows, batch.tokens}, at::kLong);
  };
  auto reference = [&](at::ScalarType kind) {
    return reference_of(kind, shape, gpt.layout(), theta.data(), tokens(inputs), tokens(targets));
  };
  const Reference truth = reference(at::kDouble), same = reference(kind);

  errors.loss = std::max(errors.loss, std::abs(loss / truth.loss - 1));
  errors.ours.resize(truth.gradients.size());
  errors.autograd.resize(truth.gradients.size());
  for (size_t t = 0; t < truth.gradients.size(); ++t) {
    const TensorSlot& slot = gpt.layout().tensors()[t];
    const auto ours = at::from_blob(gradients.data() + slot.offset, slot.shape, at::kFloat).to(at::kDouble);
    errors.ours[t] += std::pow(relative_error(ours, truth.gradients[t]), 2) / models;
    errors.autograd[t] += std::pow(relative_error(same.gradients[t], truth.gradients[t]), 2) / models;
  }
}

void compare_gradients(const std::string& opset, const ModelShape& shape, BatchShape batch) {
  const bool is_bf16 = opset.starts_with("torch-bf16");
  const auto operators = opset == "torch" ? make_torch_operators(1)
                         : is_bf16        ? make_torch_operators(1, Precision::bf16, opset.ends_with("-instructions"))
                                          : make_canon_operators(2, canon::best_isa());
  const Layout layout(shape);
  Errors errors;
  for (uint32_t seed = 1; seed <= models; ++seed) {
    add_errors(seed, *operators, is_bf16 ? at::kBFloat16 : at::kFloat, shape, batch, errors);
  }
  std::printf("{\"loss\":%.3e,\"gradients\":{", errors.loss);
  for (size_t t = 0; t < layout.tensors().size(); ++t) {
    std::printf("%s\"%s\":{\"ours\":%.3e,\"autograd\":%.3e}", t == 0 ? "" : ",", layout.tensors()[t].name.c_str(),
                std::sqrt(errors.ours[t]), std::sqrt(errors.autograd[t]));
  }
  std::printf("}}\n");
}

/** The largest difference after `rounds` rounds of random results from 4 slots. */
template <typename Real>
double nesterov_difference(int rounds) {
  constexpr int64_t length = 1001;  // with a tail for every vector width
  constexpr size_t slots = 4;
  const auto kind = c10::CppTypeToScalarType<Real>::value;
  Numbers numbers(2);
  std::vector<Real> theta(length), momentum(length, 0);
  for (Real& value : theta) value = static_cast<Real>(numbers.normal());

  auto parameter = at::from_blob(theta.data(), {length}, kind).clone().requires_grad_();
  torch::optim::SGD sgd({parameter}, torch::optim::SGDOptions(Real(0.7)).momentum(Real(0.9)).nesterov(true));
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::vector<Real>> results(slots, std::vector<Real>(length));
    std::vector<const Real*> pointers;
    auto sum = at::zeros({length}, kind);
    for (auto& result : results) {
      for (int64_t i = 0; i < length; ++i) result[i] = theta[i] + static_cast<Real>(0.01 * numbers.normal());
      pointers.push_back(result.data());
      sum += parameter.detach() - at::from_blob(result.data(), {length}, kind);
    }
    parameter.mutable_grad() = sum / static_cast<double>(slots);
    sgd.step();
    nesterov<Real>(theta, momentum, pointers, Real(0.7), Real(0.9));
  }
  return (parameter.detach() - at::from_blob(theta.data(), {length}, kind)).abs().max().template item<double>();
}

int run(int count, char** arguments) {
  const std::string command = count > 1 ? arguments[1] : "";
  auto number = [&](int at) { return std::atoll(arguments[at]); };
  if (command == "gradients" && count == 10) {
    const Gelu gelu = std::string(arguments[3]) == "tanh" ? Gelu::tanh : Gelu::erf;
    compare_gradients(arguments[2], {number(4), number(5), number(6), number(7), number(8), gelu},
                      {number(9), number(5)});
  } else if (command == "nesterov" && count == 3) {
    const int rounds = static_cast<int>(number(2));
    std::printf("{\"fp64\":%.17g,\"fp32\":%.17g}\n", nesterov_difference<double>(rounds),
                nesterov_difference<float>(rounds));
  } else {
    std::fprintf(stderr, "usage: gradients OPSET GELU V T L heads C B | nesterov ROUNDS\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace panthalia

int main(int count, char** arguments) { return panthalia::run(count, arguments); }
