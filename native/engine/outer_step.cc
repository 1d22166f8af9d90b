#include "engine/outer_step.h"

#include <cmath>

#include "engine/arena.h"
#include "engine/engine_error.h"
#include "engine/exact_arithmetic.h"
#include "engine/floating_point_mode.h"
#include "engine/state_tree.h"
#include "engine/vectorised.h"

namespace panthalia {

template <typename Real>
void nesterov(std::span<Real> theta, std::span<Real> momentum, std::span<const Real* const> results,
              Real learning_rate, Real outer_momentum) {
  const Real count = static_cast<Real>(results.size());
  vectorised([=] PANTHALIA_LOOP() {
    for (size_t i = 0; i < theta.size(); ++i) {
      Real sum = theta[i] - results[0][i];
      for (size_t r = 1; r < results.size(); ++r) sum = sum + (theta[i] - results[r][i]);
      const Real mean = sum / count;
      momentum[i] = (outer_momentum * momentum[i]) + mean;
      theta[i] = std::fma(-learning_rate, std::fma(outer_momentum, momentum[i], mean), theta[i]);
    }
  });
}

template void nesterov<float>(std::span<float>, std::span<float>, std::span<const float* const>, float, float);
template void nesterov<double>(std::span<double>, std::span<double>, std::span<const double* const>, double, double);

OuterStepResult apply_outer_step(const OuterStepOptions& options) {
  check_floating_point_mode();
  if (options.results.empty()) {
    throw EngineError(ErrorCode::value_out_of_range, "the outer step needs at least one result, received none");
  }
  const Layout layout(options.model);
  Arena theta(layout.parameter_count());
  Arena momentum(layout.parameter_count());
  read_parameters(options.base, layout, theta.data());
  if (options.momentum) read_parameters(*options.momentum, layout, momentum.data());

  std::vector<Arena> arenas;
  std::vector<const float*> results;
  for (const std::string& path : options.results) {
    arenas.emplace_back(layout.parameter_count());
    read_parameters(path, layout, arenas.back().data());
    results.push_back(arenas.back().data());
  }
  nesterov<float>(theta.span(), momentum.span(), results, options.learning_rate, options.outer_momentum);
  check_finite(layout, theta.data(), "theta after the outer step");
  check_finite(layout, momentum.data(), "the momentum after the outer step");

  const Digest zeros = group_root(layout, nullptr);
  return {write_parameters(options.out_parameters, layout, theta.data()),
          write_parameters(options.out_momentum, layout, momentum.data()),
          state_root(group_root(layout, theta.data()), zeros, zeros)};
}

}  // namespace panthalia
