// Owns the state of one training job: theta, m, v and the gradients; decides the order of a step.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/adamw.h"
#include "engine/arena.h"
#include "engine/gpt.h"
#include "engine/initialise.h"
#include "engine/parameter_file.h"
#include "engine/sha256.h"
#include "engine/stop_flag.h"

namespace panthalia {

struct TrainerOptions {
  ModelShape model;
  BatchShape batch;
  InnerConstants inner;
  /** Batches whose gradients make one step; their gradients are added in order. */
  int64_t micro_batches = 1;
};

struct StepResult {
  float loss;           // nats per token, before the update
  float gradient_norm;  // L2, before clipping
  double milliseconds;
};

/** Every method belongs to one thread at a time. */
class Trainer {
 public:
  /** stop: a request makes the call in flight throw ABORTED at its next operator; outlives the trainer.
   *  throws VALUE_OUT_OF_RANGE, OUT_OF_MEMORY */
  Trainer(const TrainerOptions& options, std::unique_ptr<Operators> operators, const StopFlag& stop);

  const Layout& layout() const { return gpt_.layout(); }
  /** Tokens of one inner step, and of one evaluation. */
  int64_t step_tokens() const { return options_.batch.count() * options_.micro_batches; }
  int64_t batch_tokens() const { return options_.batch.count(); }
  int64_t vocab_size() const { return options_.model.vocab_size; }

  /** theta by GPT-2's initialisation, m = v = 0. */
  void initialise(const Seed& seed);
  /** theta from a file, m = v = 0.  throws IO, SHAPE_MISMATCH, INVALID_STATE */
  void load_parameters(const std::string& path);
  WrittenFile save_parameters(const std::string& path);
  /** theta | m | v as they were after `step` inner steps from a base.  throws IO, SHAPE_MISMATCH, INVALID_STATE */
  void load_state(const std::string& path, int64_t step);
  WrittenFile save_state(const std::string& path);
  /** Forward and backward of each micro-batch, clip, AdamW. An abort leaves the state as it was.
   *  inputs, targets: step_tokens() of them, micro-batch by micro-batch
   *  throws ABORTED; INVALID_STATE naming step, operator and tensor where loss, gradient norm or state is NaN or Inf,
   *  after which, as after an update that throws, the state can not be used
   *  source: Loshchilov & Hutter 2019, algorithm 2 */
  StepResult inner_step(Tokens inputs, Tokens targets, const StepScalars& scalars);
  float evaluate(Tokens inputs, Tokens targets);
  Digest state_root();
  /** Of the gradients of the last inner step, as their norm was taken: added over the micro-batches, before the clip factor.
   *  32 zero bytes where no step was made since the parameters were set.
   *  throws INVALID_STATE where an aborted step has overwritten them */
  Digest gradient_root();

 private:
  void begin_state(int64_t step = 0);
  void set_parameters(const std::function<void(float*)>& fill);
  void check_state() const;
  [[noreturn]] void invalidate(const std::function<std::string()>& find_place);
  std::string largest_gradient();
  float loss_and_gradients(Tokens inputs, Tokens targets);
  void update(const StepScalars& scalars, float gradient_scale);

  TrainerOptions options_;
  std::unique_ptr<Operators> operators_;
  const StopFlag& stop_;
  Gpt gpt_;
  Arena parameters_, gradients_, m_, v_;
  Arena micro_gradients_;  // of one micro-batch, where there are several
  /** Why the state can not be used; empty when it can. */
  std::string invalid_ = "the trainer holds no parameters yet: initialise or load them first";
  int64_t step_ = 0;            // inner steps since the base: of the parameters that were set, or of the state's
  int64_t first_step_ = 0;      // what it was when parameters or state were set
  int64_t gradients_step_ = 0;  // the inner step that gradients_ belong to; 0 while they are those of none
};

}  // namespace panthalia
