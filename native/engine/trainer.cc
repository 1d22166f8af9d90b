#include "engine/trainer.h"

#include <chrono>

#include "engine/state_tree.h"

namespace panthalia {

Trainer::Trainer(const TrainerOptions& options, std::unique_ptr<Operators> operators, const StopFlag& stop)
    : options_(options),
      operators_(std::move(operators)),
      stop_(stop),
      gpt_(options.model, options.batch, *operators_, stop_),
      parameters_(layout().parameter_count()),
      gradients_(layout().parameter_count()),
      m_(layout().parameter_count()),
      v_(layout().parameter_count()) {}

void Trainer::initialise(const Seed& seed) {
  begin_state();
  initialise_parameters(layout(), options_.model.layers, seed, parameters_.data());
  invalid_.clear();
}

void Trainer::load_parameters(const std::string& path) {
  begin_state();
  read_parameters(path, layout(), parameters_.data());
  invalid_.clear();
}

WrittenFile Trainer::save_parameters(const std::string& path) {
  check_state();
  return write_parameters(path, layout(), parameters_.data());
}

StepResult Trainer::inner_step(Tokens inputs, Tokens targets, const StepScalars& scalars) {
  check_state();
  const auto begin = std::chrono::steady_clock::now();
  const auto scope = operators_->enter();
  const float loss = gpt_.forward(parameters_.data(), inputs, targets);
  gpt_.backward(parameters_.data(), inputs, targets, gradients_.data());
  const float norm = operators_->norm(gradients_.span());
  stop_.check();
  step_ += 1;
  update(scalars, clip_factor(norm, options_.inner.clip_norm));
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  return {loss, norm, elapsed.count()};
}

float Trainer::evaluate(Tokens inputs, Tokens targets) {
  check_state();
  const auto scope = operators_->enter();
  return gpt_.forward(parameters_.data(), inputs, targets);
}

Digest Trainer::state_root() {
  check_state();
  return panthalia::state_root(group_root(layout(), parameters_.data()), group_root(layout(), m_.data()),
                               group_root(layout(), v_.data()));
}

void Trainer::begin_state() {
  invalid_ = "the trainer holds no parameters: the last initialise or load did not finish";
  m_.zero();
  v_.zero();
  step_ = 0;
}

void Trainer::check_state() const {
  if (!invalid_.empty()) throw EngineError(ErrorCode::invalid_state, invalid_);
}

void Trainer::update(const StepScalars& scalars, float gradient_scale) {
  for (const TensorSlot& slot : layout().tensors()) {
    const AdamwSlices slices{parameters_.data() + slot.offset, m_.data() + slot.offset, v_.data() + slot.offset,
                             gradients_.data() + slot.offset, slot.length};
    const float decay = slot.shape.size() >= 2 ? scalars.decay : 1.0f;
    if (!adamw(slices, options_.inner, scalars, decay, gradient_scale) && invalid_.empty()) {
      invalid_ = "NaN or Inf in the state after inner step " + std::to_string(step_) + ", first in tensor " + slot.name;
    }
  }
  check_state();
}

}  // namespace panthalia
