// Owns the state of one training job: theta, m, v and the gradients; decides the order of a step.
#pragma once

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
  const BatchShape& batch() const { return options_.batch; }
  int64_t vocab_size() const { return options_.model.vocab_size; }

  /** theta by GPT-2's initialisation, m = v = 0. */
  void initialise(const Seed& seed);
  /** theta from a file, m = v = 0.  throws IO, SHAPE_MISMATCH, INVALID_STATE */
  void load_parameters(const std::string& path);
  WrittenFile save_parameters(const std::string& path);
  /** Forward, backward, clip, AdamW. Until AdamW begins, a throw leaves the state as it was.
   *  throws ABORTED, INVALID_STATE naming tensor and step when the update leaves NaN or Inf
   *  source: Loshchilov & Hutter 2019, algorithm 2 */
  StepResult inner_step(Tokens inputs, Tokens targets, const StepScalars& scalars);
  float evaluate(Tokens inputs, Tokens targets);
  Digest state_root();

  /** The gradients of the last inner step, for the tests. */
  const Arena& gradients() const { return gradients_; }
  const Arena& parameters() const { return parameters_; }

 private:
  void begin_state();
  void check_state() const;
  void update(const StepScalars& scalars, float gradient_scale);

  TrainerOptions options_;
  std::unique_ptr<Operators> operators_;
  const StopFlag& stop_;
  Gpt gpt_;
  Arena parameters_, gradients_, m_, v_;
  /** Why the state can not be used; empty when it can. */
  std::string invalid_ = "the trainer holds no parameters yet: initialise or load them first";
  int64_t step_ = 0;  // inner steps since the parameters were set
};

}  // namespace panthalia
