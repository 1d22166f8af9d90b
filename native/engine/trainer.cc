#include "engine/trainer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "engine/exact_arithmetic.h"
#include "engine/state_tree.h"

namespace panthalia {
namespace {

/** What every gradient is multiplied by. */
float clip_factor(float norm, float clip_norm) {
  const float factor = clip_norm / (norm + 1e-6f);
  return factor < 1.0f ? factor : 1.0f;
}

}  // namespace

Trainer::Trainer(const TrainerOptions& options, std::unique_ptr<Operators> operators, const StopFlag& stop)
    : options_(options),
      operators_(std::move(operators)),
      stop_(stop),
      gpt_(options.model, options.batch, *operators_, stop_),
      parameters_(layout().parameter_count(), operators_->memory()),
      gradients_(layout().parameter_count(), operators_->memory()),
      m_(layout().parameter_count(), operators_->memory()),
      v_(layout().parameter_count(), operators_->memory()) {
  if (options.micro_batches < 1 || options.micro_batches > 65536) {
    throw EngineError(ErrorCode::value_out_of_range,
                      "microBatches must be between 1 and 65536, received " + std::to_string(options.micro_batches));
  }
  if (options.micro_batches > 1) micro_gradients_ = Arena(layout().parameter_count(), operators_->memory());
}

void Trainer::initialise(const Seed& seed) {
  set_parameters([&](float* theta) { initialise_parameters(layout(), options_.model.layers, seed, theta); });
}

void Trainer::load_parameters(const std::string& path) {
  set_parameters([&](float* theta) { read_parameters(path, layout(), theta); });
}

WrittenFile Trainer::save_parameters(const std::string& path) {
  check_state();
  if (operators_->memory().is_host()) return write_parameters(path, layout(), parameters_.data());
  Arena host(parameters_.size());
  operators_->memory().to_host(parameters_.data(), host.data(), host.size());
  return write_parameters(path, layout(), host.data());
}

void Trainer::load_state(const std::string& path, int64_t step) {
  begin_state(step);
  if (operators_->memory().is_host()) {
    read_state(path, layout(), {parameters_.data(), m_.data(), v_.data()});
  } else {
    std::array<Arena, 3> host{Arena(parameters_.size()), Arena(m_.size()), Arena(v_.size())};
    read_state(path, layout(), {host[0].data(), host[1].data(), host[2].data()});
    const std::array<Arena*, 3> device{&parameters_, &m_, &v_};
    for (size_t i = 0; i < host.size(); ++i) {
      operators_->memory().from_host(host[i].data(), device[i]->data(), host[i].size());
    }
  }
  operators_->parameters_written(parameters_.data());
  invalid_.clear();
}

WrittenFile Trainer::save_state(const std::string& path) {
  check_state();
  if (operators_->memory().is_host()) return write_state(path, layout(), {parameters_.data(), m_.data(), v_.data()});
  std::array<Arena, 3> host{Arena(parameters_.size()), Arena(m_.size()), Arena(v_.size())};
  const std::array<const Arena*, 3> device{&parameters_, &m_, &v_};
  for (size_t i = 0; i < host.size(); ++i) {
    operators_->memory().to_host(device[i]->data(), host[i].data(), host[i].size());
  }
  return write_state(path, layout(), {host[0].data(), host[1].data(), host[2].data()});
}

StepResult Trainer::inner_step(Tokens inputs, Tokens targets, const StepScalars& scalars) {
  check_state();
  const auto begin = std::chrono::steady_clock::now();
  const auto scope = operators_->enter();
  gradients_step_ = 0;
  const float loss = loss_and_gradients(inputs, targets);
  const float norm = operators_->norm(layout(), gradients_.data());
  if (!std::isfinite(norm)) {
    invalidate([&] {
      const auto gradient = gpt_.first_non_finite_gradient(gradients_.data());
      return gradient ? *gradient
                      : "the gradient norm: squares are beyond fp32, those of tensor " + largest_gradient() + " most of all";
    });
  }
  stop_.check();
  step_ += 1;
  gradients_step_ = step_;
  update(scalars, clip_factor(norm, options_.inner.clip_norm));
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  return {loss, norm, elapsed.count()};
}

/** Micro-batches ascending: the first one's gradients are written, the others' added. */
float Trainer::loss_and_gradients(Tokens inputs, Tokens targets) {
  const auto count = static_cast<size_t>(batch_tokens());
  float sum = 0;
  for (int64_t i = 0; i < options_.micro_batches; ++i) {
    const Tokens in = inputs.subspan(count * i, count), out = targets.subspan(count * i, count);
    const float loss = gpt_.forward(parameters_.data(), in, out);
    if (!std::isfinite(loss)) {
      invalidate([&] { return gpt_.first_non_finite_activation(); });
    }
    Arena& gradients = i == 0 ? gradients_ : micro_gradients_;
    gpt_.backward(parameters_.data(), in, out, options_.micro_batches, gradients.data());
    if (i > 0) operators_->accumulate(gradients.span(), gradients_.span());
    sum = i == 0 ? loss : sum + loss;
    if (!std::isfinite(sum)) invalidate([] { return "the sum over micro-batches, in tensor loss"; });
  }
  return options_.micro_batches == 1 ? sum : sum / static_cast<float>(options_.micro_batches);
}

float Trainer::evaluate(Tokens inputs, Tokens targets) {
  check_state();
  const auto scope = operators_->enter();
  const float loss = gpt_.forward(parameters_.data(), inputs, targets);
  if (std::isfinite(loss)) return loss;
  throw EngineError(ErrorCode::invalid_state,
                    "the evaluation gave NaN or Inf, first in " + gpt_.first_non_finite_activation());
}

Digest Trainer::state_root() {
  check_state();
  const auto scope = operators_->enter();
  const float* const arenas[] = {parameters_.data(), m_.data(), v_.data()};
  const size_t different = step_ == 0 ? 2 : 3;  // m and v are zeros before the first step
  Digest roots[3];
  operators_->group_roots(layout(), std::span(arenas).first(different), roots);
  return panthalia::state_root(roots[0], roots[1], roots[different - 1]);
}

Digest Trainer::gradient_root() {
  check_state();
  if (step_ == first_step_) return Digest{};
  if (gradients_step_ != step_) {
    throw EngineError(ErrorCode::invalid_state, "the gradients of inner step " + std::to_string(step_) +
                                                    " must be asked for before another step begins; one did, and was aborted");
  }
  const auto scope = operators_->enter();
  const float* const gradients = gradients_.data();
  Digest root;
  operators_->group_roots(layout(), {&gradients, 1}, &root);
  return root;
}

/** Through the host where the parameters live elsewhere; invalid until all of them are there. */
void Trainer::set_parameters(const std::function<void(float*)>& fill) {
  begin_state();
  if (operators_->memory().is_host()) {
    fill(parameters_.data());
  } else {
    Arena host(parameters_.size());
    fill(host.data());
    operators_->memory().from_host(host.data(), parameters_.data(), host.size());
  }
  operators_->parameters_written(parameters_.data());
  invalid_.clear();
}

void Trainer::begin_state(int64_t step) {
  invalid_ = "the trainer holds no parameters: the last initialise or load did not finish";
  m_.zero();
  v_.zero();
  step_ = step;
  first_step_ = step;
  gradients_step_ = 0;
}

void Trainer::check_state() const {
  if (!invalid_.empty()) throw EngineError(ErrorCode::invalid_state, invalid_);
}

/** The name of the tensor whose gradient is longest, all of which are finite. By pieces: memory may be what is short. */
std::string Trainer::largest_gradient() {
  std::array<float, 4096> piece;
  double largest = -1;
  std::string name;
  for (const TensorSlot& slot : layout().tensors()) {
    double squares = 0;
    for (int64_t done = 0; done < slot.length;) {
      const int64_t length = std::min<int64_t>(piece.size(), slot.length - done);
      operators_->memory().to_host(gradients_.data() + slot.offset + done, piece.data(), length);
      for (int64_t i = 0; i < length; ++i) squares += static_cast<double>(piece[i]) * piece[i];
      done += length;
    }
    if (squares <= largest) continue;
    largest = squares;
    name = slot.name;
  }
  return name;
}

/** Ends the state first: whatever happens while the place is looked for, it stays ended. */
void Trainer::invalidate(const std::function<std::string()>& find_place) {
  invalid_ = "NaN or Inf in inner step " + std::to_string(step_ + 1);
  invalid_ += ", first in " + find_place();
  throw EngineError(ErrorCode::invalid_state, invalid_);
}

/** What throws half-way leaves tensors of two steps: the state counts again only when all of them are written. */
void Trainer::update(const StepScalars& scalars, float gradient_scale) {
  invalid_ = "the update of inner step ";  // in the memory that it has: a step allocates nothing
  invalid_ += std::to_string(step_);
  invalid_ += " did not finish";
  const AdamwArenas arenas{parameters_.data(), m_.data(), v_.data(), gradients_.data()};
  const auto tensor = operators_->adamw(layout(), arenas, options_.inner, scalars, gradient_scale);
  if (tensor) {
    invalid_ = "NaN or Inf in the state after inner step " + std::to_string(step_) + ", first in AdamW of tensor " +
               layout().tensors()[*tensor].name;
    check_state();
  }
  invalid_.clear();
}

}  // namespace panthalia
