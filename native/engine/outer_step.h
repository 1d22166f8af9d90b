// DiLoCo's outer step on the Source of Truth: elementwise, every rounding written out, no libtorch.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model.h"
#include "engine/parameter_file.h"

namespace panthalia {

/** For each element, one rounding per operation written, M results in slot order:
 *
 *    sum = (theta - result_0);  sum = sum + (theta - result_r) for r = 1 .. M - 1
 *    mean = sum / M
 *    momentum = (outer_momentum * momentum) + mean
 *    theta = fma(-learning_rate, fma(outer_momentum, momentum, mean), theta)
 *
 *  The same bits as torch.optim.SGD(nesterov=True) given mean as the gradient.
 *  source: Douillard et al. 2023 (2311.08105), algorithm 1 */
template <typename Real>
void nesterov(std::span<Real> theta, std::span<Real> momentum, std::span<const Real* const> results,
              Real learning_rate, Real outer_momentum);

struct OuterStepOptions {
  ModelShape model;
  std::string base;                      // file of theta_t
  std::optional<std::string> momentum;   // none at round 0: zeros
  std::vector<std::string> results;      // files of theta after H inner steps, in slot order
  float learning_rate;
  float outer_momentum;
  std::string out_parameters;
  std::string out_momentum;
};

struct OuterStepResult {
  WrittenFile parameters;
  WrittenFile momentum;
  Digest state_root;  // of (theta_{t+1}, 0, 0)
};

/** throws VALUE_OUT_OF_RANGE without results or in another floating-point mode, IO, SHAPE_MISMATCH, INVALID_STATE */
OuterStepResult apply_outer_step(const OuterStepOptions& options);

}  // namespace panthalia
