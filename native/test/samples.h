// What the tests of kernels compute on: memory that notices a step out of bounds, and numbers of all kinds.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

namespace panthalia::samples {

/** Elements that end where readable memory ends: a kernel that touches what lies beyond its last element crashes. */
template <typename Element>
class Fenced {
 public:
  explicit Fenced(const std::vector<Element>& values) : size_(values.size()) {
    const size_t page = sysconf(_SC_PAGESIZE), used = (sizeof(Element) * size_ + canaries + page - 1) / page * page;
    mapped_ = used + page;
    memory_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || mprotect(memory_ + used, page, PROT_NONE) != 0) throw std::runtime_error("mmap");
    data_ = reinterpret_cast<Element*>(memory_ + used) - size_;
    std::memset(memory_, canary, reinterpret_cast<char*>(data_) - memory_);
    std::copy(values.begin(), values.end(), data_);
  }
  ~Fenced() { munmap(memory_, mapped_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  operator Element*() { return data_; }
  /** Whether nothing was written in the bytes before the first element. */
  bool is_intact() const {
    return std::all_of(memory_, reinterpret_cast<char*>(data_), [](char byte) { return byte == canary; });
  }
  std::vector<Element> values() const { return {data_, data_ + size_}; }

 private:
  static constexpr char canary = 0x5a;
  static constexpr size_t canaries = 256;  // at least
  size_t size_, mapped_;
  char* memory_;
  Element* data_;
};
inline std::vector<float> unwritten(int64_t n) { return std::vector<float>(n, NAN); }

enum class Kind { ordinary, small, huge, special };
constexpr Kind kinds[] = {Kind::ordinary, Kind::small, Kind::huge, Kind::special};

/** ordinary: with zeros of both signs and some subnormals; small and huge: near the least and the greatest numbers;
 *  special: with NaN and infinities. */
class Source {
 public:
  explicit Source(uint32_t seed) : random_(seed) {}

  std::vector<float> values(int64_t count, Kind kind = Kind::ordinary) {
    std::vector<float> row(count);
    for (float& x : row) x = value(kind);
    return row;
  }
  std::vector<int64_t> integers(int64_t count, int64_t below) {
    std::vector<int64_t> list(count);
    for (int64_t& each : list) each = random_() % below;
    return list;
  }

 private:
  float value(Kind kind) {
    const uint32_t choice = random_() % 64;
    if (choice == 0) return 0.0f;
    if (choice == 1) return -0.0f;
    if (choice == 2) return std::ldexp(uniform(), -140);
    if (choice == 3) return std::ldexp(uniform(), 5);
    if (kind == Kind::special && choice < 6) return choice == 4 ? INFINITY : -NAN;
    if (kind == Kind::small) return std::ldexp(uniform(), -126);
    if (kind == Kind::huge) return std::ldexp(uniform(), 127);
    return uniform();
  }
  float uniform() { return std::ldexp(static_cast<float>(static_cast<int32_t>(random_())), -31); }
  std::mt19937 random_;
};

}  // namespace panthalia::samples
