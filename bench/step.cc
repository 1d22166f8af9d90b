// The loop of bench/ours.mjs without Node: what the addon costs is the difference. Speaks as bench/nanogpt.py does.
//
//   panthalia_step OPSET PRECISION THREADS V blockSize L heads C B T learningRate PARAMETERS BATCHES
//
// build: cmake --build build/cmake --target panthalia_step
#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/trainer.h"
#include "kernels/canon/canon_operators.h"
#include "kernels/torch/torch_runtime.h"

namespace panthalia {
namespace {

struct Batch {
  std::vector<int64_t> inputs;
  std::vector<int64_t> targets;
};

/** int32, for each batch the inputs (B, T), then the targets (B, T). */
std::vector<Batch> read_batches(const char* path, int64_t count) {
  std::ifstream file(path, std::ios::binary);
  std::vector<Batch> batches;
  std::vector<int32_t> tokens(2 * count);
  const auto bytes = static_cast<std::streamsize>(tokens.size() * sizeof(int32_t));
  while (file.read(reinterpret_cast<char*>(tokens.data()), bytes)) {
    batches.push_back({{tokens.begin(), tokens.begin() + count}, {tokens.begin() + count, tokens.end()}});
  }
  return batches;
}

double milliseconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

/** nanoGPT's constants, as bench/ours.mjs has them.  source: src/protocol/spec.ts, stepScalars */
StepScalars scalars_of(int64_t step, double learning_rate) {
  const auto k = static_cast<double>(step);
  return {static_cast<float>(learning_rate / (1 - std::pow(0.9, k))),
          static_cast<float>(1 / std::sqrt(1 - std::pow(0.95, k))), static_cast<float>(1 - learning_rate * 0.1)};
}

void print(const char* name, const std::vector<double>& values) {
  std::printf("\"%s\":[", name);
  for (size_t i = 0; i < values.size(); ++i) std::printf("%s%.9g", i == 0 ? "" : ",", values[i]);
  std::printf("],");
}

int run(char** arguments) {
  auto number = [&](int at) { return std::atoll(arguments[at]); };
  const std::string opset = arguments[1];
  const int threads = std::atoi(arguments[3]);
  const TrainerOptions options{{number(4), number(5), number(6), number(7), number(8)},
                               {number(9), number(10)},
                               {0.9f, static_cast<float>(1 - 0.9), 0.95f, static_cast<float>(1 - 0.95), 1e-8f, 1.0f}};
  const double learning_rate = std::atof(arguments[11]);
  const StopFlag stop;
  Trainer trainer(options,
                  opset == "torch" ? make_torch_operators(threads, precision_named(arguments[2]))
                                   : make_canon_operators(threads, canon::best_isa()),
                  stop);
  trainer.load_parameters(arguments[12]);
  const std::vector<Batch> batches = read_batches(arguments[13], options.batch.count());
  std::cout << "{\"loadedBytes\":0}" << std::endl;

  int64_t step = 0;
  for (std::string line; std::getline(std::cin, line) && line != "end";) {
    std::istringstream words(line);
    std::string command;
    int64_t count = 0;
    words >> command >> count;
    std::vector<double> losses, milliseconds;
    const double cpu = milliseconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (int64_t i = 0; i < count; ++i, ++step) {
      const Batch& batch = batches[step % batches.size()];
      const double begin = milliseconds_of(CLOCK_MONOTONIC);
      losses.push_back(trainer.inner_step(batch.inputs, batch.targets, scalars_of(step + 1, learning_rate)).loss);
      milliseconds.push_back(milliseconds_of(CLOCK_MONOTONIC) - begin);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("{");
    print("losses", losses);
    print("milliseconds", milliseconds);
    std::printf("\"cpuMilliseconds\":%.3f,\"peakBytes\":%ld}\n", milliseconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu,
                1024 * usage.ru_maxrss);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace panthalia

int main(int count, char** arguments) {
  if (count != 14) {
    std::fprintf(stderr, "usage: OPSET PRECISION THREADS V blockSize L heads C B T learningRate PARAMETERS BATCHES\n");
    return 2;
  }
  try {
    return panthalia::run(arguments);
  } catch (...) {
    std::fprintf(stderr, "%s\n", panthalia::as_engine_error(std::current_exception()).what());
    return 1;
  }
}
