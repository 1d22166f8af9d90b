// SHA-256 and the state tree. Prints one JSON object; tests/engine judges it.
//
//   panthalia_hash_test compressors                     per compressor of this processor: lanes, and results unlike the portable one's
//   panthalia_hash_test digests                         of 0 to 300 bytes one by one, hashed together; many at once unlike one by one
//   panthalia_hash_test state-root V T L heads C N      by N threads, of arenas that hold fixture_value(group, i), as tests/fixtures say
//   panthalia_hash_test speed MIB                       GB/s of processor time over a model of MIB or more, per compressor and for
//                                                       the tree
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "engine/arena.h"
#include "engine/sha256_compress.h"
#include "engine/state_tree.h"

namespace panthalia {
namespace {

std::vector<uint8_t> some_bytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>((i * 7919 + i / 251) % 256);
  return bytes;
}

/** States after `blocks` blocks of every lane, message by message. */
std::vector<uint32_t> compress(const Sha256Compressor& compressor, const uint8_t* bytes, size_t messages, size_t blocks) {
  std::vector<uint32_t> all;
  for (size_t first = 0; first < messages; first += compressor.lanes) {
    std::vector<uint32_t> states(8 * compressor.lanes, 0x01234567);
    std::vector<const uint8_t*> starts;
    for (int lane = 0; lane < compressor.lanes; ++lane) starts.push_back(bytes + 64 * blocks * (first + lane) + lane);
    compressor.compress(states.data(), starts.data(), blocks);
    for (int lane = 0; lane < compressor.lanes; ++lane) {
      for (int w = 0; w < 8; ++w) all.push_back(states[w * compressor.lanes + lane]);
    }
  }
  return all;
}

/** Each lane is compared with the portable compressor on the same bytes, at odd addresses. */
void compare_compressors() {
  constexpr size_t messages = 16, blocks = 257;
  const auto bytes = some_bytes(64 * messages * blocks + messages);
  const Sha256Compressor& portable = sha256_compressors().front();
  std::string answer;
  for (const Sha256Compressor& compressor : sha256_compressors()) {
    int differing = 0;
    const auto states = compress(compressor, bytes.data(), messages, blocks);
    for (size_t message = 0; message < messages; ++message) {
      const auto* start = bytes.data() + 64 * blocks * message + message % compressor.lanes;
      uint32_t expected[8];
      std::fill(expected, expected + 8, 0x01234567u);
      portable.compress(expected, &start, blocks);
      differing += !std::equal(expected, expected + 8, states.data() + 8 * message);
    }
    answer += (answer.empty() ? "\"" : ",\"") + std::string(compressor.name) +
              "\":{\"lanes\":" + std::to_string(compressor.lanes) + ",\"differing\":" + std::to_string(differing) + "}";
  }
  std::printf("{%s}\n", answer.c_str());
}

void compare_digests() {
  const auto bytes = some_bytes(1 << 18);
  Sha256 all;
  for (size_t size = 0; size <= 300; ++size) {
    Sha256 hash;
    hash.update(bytes.data(), size / 3);
    hash.update(bytes.data() + size / 3, size - size / 3);
    const Digest digest = hash.finish();
    all.update(digest.data(), digest.size());
  }

  int compared = 0, differing = 0;
  for (const size_t prefix_size : {0, 1, 9, 12}) {
    for (const size_t body_size : {0, 4, 43, 46, 47, 51, 52, 55, 56, 63, 64, 65, 110, 118, 119, 128, 3072, 4096}) {
      for (size_t count = 1; count <= 40; ++count) {
        std::vector<PrefixedMessage> messages(count);
        std::vector<Digest> digests(count);
        for (size_t i = 0; i < count; ++i) {
          std::memcpy(messages[i].prefix.data(), bytes.data() + 5000 * i + 7, PrefixedMessage::most_prefix);
          messages[i].body = bytes.data() + 4099 * i;
        }
        sha256_many(messages, prefix_size, body_size, digests.data());
        for (size_t i = 0; i < count; ++i, ++compared) {
          Sha256 hash;
          hash.update(messages[i].prefix.data(), prefix_size);
          hash.update(messages[i].body, body_size);
          differing += hash.finish() != digests[i];
        }
      }
    }
  }
  std::printf("{\"oneByOne\":\"%s\",\"compared\":%d,\"differing\":%d}\n", to_hex(all.finish()).c_str(), compared,
              differing);
}

class Threads final : public Parallel {
 public:
  explicit Threads(int threads) : threads_(threads) {}
  void run(int64_t pieces, PieceFunction function) override {
    std::atomic<int64_t> next{0};
    auto work = [&] {
      for (int64_t piece = next++; piece < pieces; piece = next++) function(piece);
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads_; ++i) others.emplace_back(work);
    work();
    for (std::thread& thread : others) thread.join();
  }

 private:
  int threads_;
};

/** A small exact number; twin: tests/helpers/fixtureArena.ts */
float fixture_value(int64_t group, int64_t i) { return static_cast<float>((i * 7919 + group * 104729) % 10007 - 5000) / 64; }

void print_state_root(const ModelShape& shape, int threads) {
  const Layout layout(shape);
  Threads parallel(threads);
  StateTree tree(layout);
  Digest roots[3];
  for (int64_t group = 0; group < 3; ++group) {
    Arena arena(layout.parameter_count());
    for (int64_t i = 0; i < arena.size(); ++i) arena.data()[i] = fixture_value(group, i);
    roots[group] = tree.group_root(arena.data(), parallel);
  }
  Arena zeros(layout.parameter_count());
  const bool is_null_zero = tree.group_root(nullptr, parallel) == tree.group_root(zeros.data(), parallel);
  std::printf("{\"stateRoot\":\"%s\",\"isNullZero\":%s}\n", to_hex(state_root(roots[0], roots[1], roots[2])).c_str(),
              is_null_zero ? "true" : "false");
}

double processor_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/** Medians of seven rounds, each of which times everything once. */
void print_speed(int64_t mib) {
  const ModelShape shape{65536, 1, 1, 1, 4 * mib};  // MIB is the token embedding
  const Layout layout(shape);
  StateTree tree(layout);
  Serial serial;
  Arena arena(layout.parameter_count());
  for (int64_t i = 0; i < arena.size(); ++i) arena.data()[i] = fixture_value(0, i);
  const auto* bytes = reinterpret_cast<const uint8_t*>(arena.data());
  const double gigabytes = 4e-9 * static_cast<double>(arena.size());
  const size_t chunks = static_cast<size_t>(arena.size()) / 1024;

  struct Row {
    std::string name;
    std::vector<double> rates;
  };
  std::vector<Row> rows;
  for (const Sha256Compressor& compressor : sha256_compressors()) rows.push_back({compressor.name, {}});
  rows.push_back({"tree", {}});
  rows.push_back({"tree of zeros", {}});
  for (int round = 0; round < 7; ++round) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const double begin = processor_seconds();
      if (i < sha256_compressors().size()) {
        const Sha256Compressor& compressor = sha256_compressors()[i];
        uint32_t states[8 * Sha256Compressor::most_lanes] = {};
        const uint8_t* messages[Sha256Compressor::most_lanes];
        for (size_t first = 0; first + compressor.lanes < chunks; first += compressor.lanes) {
          for (int lane = 0; lane < compressor.lanes; ++lane) messages[lane] = bytes + 4096 * (first + lane) + 55;
          compressor.compress(states, messages, 64);
        }
      } else {
        tree.group_root(i + 1 == rows.size() ? nullptr : arena.data(), serial);
      }
      rows[i].rates.push_back(gigabytes / (processor_seconds() - begin));
    }
  }
  std::string answer;
  for (Row& row : rows) {
    std::sort(row.rates.begin(), row.rates.end());
    char rate[32];
    std::snprintf(rate, sizeof rate, "%.3f", row.rates[row.rates.size() / 2]);
    answer += (answer.empty() ? "\"" : ",\"") + row.name + "\":" + rate;
  }
  std::printf("{%s}\n", answer.c_str());
}

int run(int count, char** arguments) {
  const std::string command = count > 1 ? arguments[1] : "";
  auto number = [&](int at) { return std::atoll(arguments[at]); };
  if (command == "compressors" && count == 2) {
    compare_compressors();
  } else if (command == "digests" && count == 2) {
    compare_digests();
  } else if (command == "state-root" && count == 8) {
    print_state_root({number(2), number(3), number(4), number(5), number(6)}, static_cast<int>(number(7)));
  } else if (command == "speed" && count == 3) {
    print_speed(number(2));
  } else {
    std::fprintf(stderr, "usage: compressors | digests | state-root V T L heads C THREADS | speed MIB\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace panthalia

int main(int count, char** arguments) { return panthalia::run(count, arguments); }
